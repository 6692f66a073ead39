// SPDX-License-Identifier: Apache-2.0
// SIGTERM and SIGINT: the first asks the run to stop, the second ends it at once, and no stop takes
// 5 s (promise G7).
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

namespace sluice {

/// Blocks both signals for the process and waits for them in a thread of its own, so that no code
/// runs inside a signal handler. Made once, before any other thread.
class Signals {
 public:
  /// `leave_now` writes the last summary of a run that must end where it is, and gives the status
  /// with which the process exits after it. It runs in the signal thread: before `hold`, or when a
  /// stop was not finished in time.
  explicit Signals(std::function<int(int signal)> leave_now);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// From here on messages may be in hand: a signal calls `wake` and shows in `received`, and the
  /// run stops by itself. Before, nothing is held, and the process simply leaves.
  void hold(std::function<void()> wake);
  /// The first signal that came, or 0.
  int received() const { return received_; }

 private:
  void watch();
  [[noreturn]] void leave(int signal);

  std::function<int(int)> leave_now_;
  std::function<void()> wake_;
  std::mutex mutex_;
  std::atomic<int> received_ = 0;
  std::thread thread_;
};

}  // namespace sluice
