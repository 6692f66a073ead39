// SPDX-License-Identifier: Apache-2.0
// Which sockets have something to read or room to write: epoll, told as seldom as can be.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sluice {

/// A connection that rests between two requests stays with epoll: libcurl takes its interest back
/// after each answer and has it again with the next request, and two calls of the kernel for each
/// would cost as much as receiving the answer.
class Sockets {
 public:
  struct Ready {
    int socket = 0;
    bool readable = false;
    bool writable = false;
    bool failed = false;
  };

  Sockets();
  ~Sockets();
  Sockets(const Sockets&) = delete;
  Sockets& operator=(const Sockets&) = delete;

  /// This one is told of through `closed` before its number can mean another.
  void opened(int socket);
  void closed(int socket);
  /// Neither: no more interest.
  void watch(int socket, bool readable, bool writable);

  /// Those that are ready, at the latest after `at_most_ms`; valid until the next call.
  std::span<const Ready> wait(std::int64_t at_most_ms);
  /// `wake` was called since this was last asked.
  bool take_wake();
  /// Ends a `wait`, or the next. From any thread.
  void wake() const;

 private:
  struct Known {
    std::uint32_t wanted = 0;   // what libcurl wants to hear of
    std::uint32_t watched = 0;  // what epoll would tell
    bool lasts = false;         // between `opened` and `closed`
  };

  Known& known(int socket);
  void tell_epoll(int socket, Known& known, std::uint32_t events) const;

  int epoll_;
  int wake_;
  bool woken_ = false;
  std::vector<Known> known_;  // by socket
  std::vector<Ready> ready_;
};

}  // namespace sluice
