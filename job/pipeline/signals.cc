// SPDX-License-Identifier: Apache-2.0
#include "job/pipeline/signals.h"

#include <ctime>

#include <signal.h>
#include <unistd.h>

#include "job/base/clock.h"
#include "job/base/output.h"

namespace sluice {
namespace {

// Only from ourselves: ends the thread.
constexpr int kEnd = SIGUSR1;
constexpr std::int64_t kLongestStopMs = 4'700;

sigset_t watched() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, kEnd);
  return set;
}

/// The signal that came within the time, or 0.
int wait_for_signal(std::int64_t ms) {
  const sigset_t set = watched();
  const std::int64_t end = now().steady_ms + ms;
  while (true) {
    const std::int64_t left = std::max<std::int64_t>(0, end - now().steady_ms);
    const timespec timeout{left / 1000, left % 1000 * 1'000'000};
    const int signal = sigtimedwait(&set, nullptr, &timeout);
    if (signal > 0) return signal;
    if (left == 0) return 0;
  }
}

}  // namespace

Signals::Signals(std::function<int(int)> leave_now) : leave_now_(std::move(leave_now)) {
  // A reader of our output that went away must not end a run in its middle.
  ::signal(SIGPIPE, SIG_IGN);
  const sigset_t set = watched();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  thread_ = std::thread([this] { watch(); });
}

Signals::~Signals() {
  pthread_kill(thread_.native_handle(), kEnd);
  thread_.join();
}

void Signals::hold(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

void Signals::watch() {
  const sigset_t set = watched();
  int signal = 0;
  while (sigwait(&set, &signal) != 0) {
  }
  if (signal == kEnd) return;
  lose_patience();
  {
    const std::lock_guard lock(mutex_);
    received_ = signal;
    if (!wake_) leave(signal);
    wake_();
  }
  // The run stops by itself in less. A second signal, or a stop that hangs, ends the process where
  // it is: whatever it held is in the checkpoint or comes back by itself.
  if (wait_for_signal(kLongestStopMs) != kEnd) leave(signal);
}

void Signals::leave(int signal) { ::_exit(leave_now_(signal)); }

}  // namespace sluice
