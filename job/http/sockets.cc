// SPDX-License-Identifier: Apache-2.0
#include "job/http/sockets.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "job/base/failure.h"

namespace sluice {
namespace {
constexpr std::size_t kAtOnce = 64;  // more wait for the next call
}

Sockets::Sockets()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  require(epoll_ >= 0 && wake_ >= 0, "the system has no file descriptor left");
  known(wake_).lasts = true;
  watch(wake_, true, false);
}

Sockets::~Sockets() {
  close(epoll_);
  close(wake_);
}

Sockets::Known& Sockets::known(int socket) {
  const auto at = static_cast<std::size_t>(socket);
  if (at >= known_.size()) known_.resize(at + 1);
  return known_[at];
}

void Sockets::opened(int socket) { known(socket) = {.lasts = true}; }

/// Closing it takes it from epoll.
void Sockets::closed(int socket) { known(socket) = {}; }

void Sockets::watch(int socket, bool readable, bool writable) {
  Known& each = known(socket);
  each.wanted = (readable ? EPOLLIN : 0U) | (writable ? EPOLLOUT : 0U);
  if (each.wanted == each.watched || (each.wanted == 0 && each.lasts)) return;
  tell_epoll(socket, each, each.wanted);
}

void Sockets::tell_epoll(int socket, Known& each, std::uint32_t events) const {
  epoll_event event{};
  event.events = events;
  event.data.fd = socket;
  const int operation = events == 0         ? EPOLL_CTL_DEL
                        : each.watched == 0 ? EPOLL_CTL_ADD
                                            : EPOLL_CTL_MOD;
  // One that does not last may have been closed before it is taken back.
  require(epoll_ctl(epoll_, operation, socket, &event) == 0 || events == 0,
          "epoll refused a socket");
  each.watched = events;
}

std::span<const Sockets::Ready> Sockets::wait(std::int64_t at_most_ms) {
  std::array<epoll_event, kAtOnce> events;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  const auto timeout =
      static_cast<int>(std::clamp<std::int64_t>(at_most_ms, 0, std::numeric_limits<int>::max()));
  // A signal ends it early, with -1.
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout);
  ready_.clear();
  for (const epoll_event& event : std::span(events).first(std::max(count, 0))) {
    const int socket = event.data.fd;
    Known& each = known(socket);
    if (socket == wake_) {
      std::uint64_t times = 0;
      woken_ = read(wake_, &times, sizeof(times)) > 0 || woken_;
    } else if (each.wanted == 0) {
      tell_epoll(socket, each, 0);  // the server closed a connection that rests
    } else {
      ready_.push_back({.socket = socket,
                        .readable = (event.events & EPOLLIN) != 0,
                        .writable = (event.events & EPOLLOUT) != 0,
                        .failed = (event.events & (EPOLLERR | EPOLLHUP)) != 0});
    }
  }
  return ready_;
}

bool Sockets::take_wake() { return std::exchange(woken_, false); }

void Sockets::wake() const {
  const std::uint64_t once = 1;
  // It fails only when it has been called 2^64 times.
  [[maybe_unused]] const auto written = write(wake_, &once, sizeof(once));
}

}  // namespace sluice
