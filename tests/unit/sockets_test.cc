// SPDX-License-Identifier: Apache-2.0
#include "job/http/sockets.h"

#include <array>
#include <chrono>
#include <string_view>
#include <thread>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sluice {
namespace {

constexpr std::int64_t kLongMs = 20'000;

/// A connection whose one end the test holds, and Sockets the other.
class Pair {
 public:
  Pair() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()), 0); }
  ~Pair() {
    hang_up();
    close(ours());
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  int ours() const { return ends_[0]; }
  void say(std::string_view text) const {
    EXPECT_EQ(write(ends_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void hang_up() {
    if (ends_[1] >= 0) close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  std::array<int, 2> ends_ = {-1, -1};
};

TEST(Sockets, tells_what_is_ready_for_what_was_asked) {
  Sockets sockets;
  const Pair talks;
  const Pair is_silent;
  for (const Pair* pair : {&talks, &is_silent}) {
    sockets.opened(pair->ours());
    sockets.watch(pair->ours(), true, false);
  }
  EXPECT_TRUE(sockets.wait(0).empty());
  talks.say("x");
  const auto readable = sockets.wait(kLongMs);
  ASSERT_EQ(readable.size(), 1U);
  EXPECT_EQ(readable[0].socket, talks.ours());
  EXPECT_TRUE(readable[0].readable);
  EXPECT_FALSE(readable[0].writable);
  sockets.watch(talks.ours(), false, true);
  const auto writable = sockets.wait(kLongMs);
  ASSERT_EQ(writable.size(), 1U);
  EXPECT_TRUE(writable[0].writable);
  EXPECT_FALSE(writable[0].readable);
}

TEST(Sockets, a_connection_that_rests_is_not_told_of_and_does_not_spin_when_it_is_closed) {
  Sockets sockets;
  Pair pair;
  sockets.opened(pair.ours());
  sockets.watch(pair.ours(), true, false);
  sockets.watch(pair.ours(), false, false);
  pair.hang_up();
  EXPECT_TRUE(sockets.wait(kLongMs).empty()) << "epoll tells of it once";
  const auto before = std::chrono::steady_clock::now();
  EXPECT_TRUE(sockets.wait(50).empty());
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(49));
  sockets.watch(pair.ours(), true, false);
  EXPECT_EQ(sockets.wait(kLongMs).size(), 1U) << "who looks again must see that it is closed";
}

TEST(Sockets, a_number_that_is_used_again_is_another_socket) {
  Sockets sockets;
  int number = -1;
  {
    const Pair first;
    number = first.ours();
    sockets.opened(number);
    sockets.watch(number, true, false);
    sockets.closed(number);
  }
  const Pair second;
  ASSERT_EQ(second.ours(), number);
  sockets.watch(number, true, false);
  second.say("x");
  EXPECT_EQ(sockets.wait(kLongMs).size(), 1U);
}

TEST(Sockets, one_that_nobody_told_of_is_given_back_at_once) {
  Sockets sockets;
  int number = -1;
  {
    const Pair resolver;
    number = resolver.ours();
    sockets.watch(number, true, false);
    sockets.watch(number, false, false);
  }
  const Pair next;
  ASSERT_EQ(next.ours(), number);
  sockets.watch(number, true, false);
  next.say("x");
  EXPECT_EQ(sockets.wait(kLongMs).size(), 1U);
}

TEST(Sockets, another_thread_ends_a_wait_and_only_one) {
  Sockets sockets;
  std::thread waker([&] { sockets.wake(); });
  EXPECT_TRUE(sockets.wait(kLongMs).empty());
  EXPECT_TRUE(sockets.take_wake());
  EXPECT_FALSE(sockets.take_wake());
  waker.join();
  sockets.wake();
  sockets.wait(kLongMs);
  EXPECT_TRUE(sockets.take_wake());
}

}  // namespace
}  // namespace sluice
