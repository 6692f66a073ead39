// SPDX-License-Identifier: Apache-2.0
#include "job/aws/pace.h"

#include <vector>

#include <gtest/gtest.h>

namespace sluice {
namespace {

/// Sends as many as there is room for; their rounds.
std::vector<std::uint64_t> fill(Pace& pace) {
  std::vector<std::uint64_t> rounds;
  while (pace.has_room()) rounds.push_back(pace.sent());
  return rounds;
}

TEST(Pace, a_burst_that_is_throttled_halves_once) {
  Pace pace(32);
  const auto burst = fill(pace);
  EXPECT_EQ(burst.size(), 32U);
  for (const std::uint64_t round : burst) pace.throttled(round);
  EXPECT_EQ(pace.limit(), 16);
  const auto next = fill(pace);
  EXPECT_EQ(next.size(), 16U);
  for (const std::uint64_t round : next) pace.throttled(round);
  EXPECT_EQ(pace.limit(), 8);
}

TEST(Pace, what_was_sent_before_the_halving_does_not_halve_again) {
  Pace pace(8);
  const auto burst = fill(pace);
  pace.throttled(burst[0]);
  EXPECT_EQ(pace.limit(), 4);
  for (std::size_t i = 1; i < 5; ++i) pace.ended();
  const std::uint64_t later = pace.sent();
  pace.throttled(burst[7]);
  EXPECT_EQ(pace.limit(), 4);
  pace.throttled(later);
  EXPECT_LT(pace.limit(), 4);
}

TEST(Pace, a_limit_that_was_not_reached_is_halved_from_what_was_under_way) {
  Pace pace(128);
  std::uint64_t round = 0;
  for (int i = 0; i < 10; ++i) round = pace.sent();
  pace.throttled(round);
  EXPECT_EQ(pace.limit(), 5);
}

TEST(Pace, one_call_always_has_room) {
  Pace pace(2);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(pace.has_room());
    pace.throttled(pace.sent());
  }
  EXPECT_EQ(pace.limit(), 1);
}

TEST(Pace, it_recovers_by_one_after_as_many_successes_as_the_limit) {
  Pace pace(8);
  for (const std::uint64_t round : fill(pace)) pace.throttled(round);
  EXPECT_EQ(pace.limit(), 4);
  const auto succeed = [&pace](int calls) {
    for (int i = 0; i < calls; ++i) {
      pace.sent();
      pace.succeeded();
    }
  };
  succeed(3);
  EXPECT_EQ(pace.limit(), 4);
  succeed(1);
  EXPECT_EQ(pace.limit(), 5);
  succeed(5 + 6 + 7);
  EXPECT_EQ(pace.limit(), 8);
  succeed(100);
  EXPECT_EQ(pace.limit(), 8) << "never more than it began with";
}

TEST(Pace, what_was_abandoned_leaves_room) {
  Pace pace(3);
  fill(pace);
  EXPECT_FALSE(pace.has_room());
  pace.forget();
  EXPECT_EQ(fill(pace).size(), 3U);
}

}  // namespace
}  // namespace sluice
