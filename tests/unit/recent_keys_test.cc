// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/recent_keys.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

constexpr auto kGeneration = static_cast<std::uint32_t>(RecentKeys::kGeneration);

/// As poor as ids can be: all but four bytes the same.
MessageKey key_of(std::uint32_t n) {
  MessageKey key;
  for (int byte = 0; byte < 4; ++byte) key.id[12 + byte] = static_cast<std::uint8_t>(n >> 8 * byte);
  return key;
}

std::uint32_t held(const RecentKeys& keys, std::uint32_t from, std::uint32_t to) {
  std::uint32_t count = 0;
  for (std::uint32_t n = from; n < to; ++n) count += keys.may_hold(key_of(n)) ? 1 : 0;
  return count;
}

TEST(RecentKeys, nothing_is_held_at_first) {
  const RecentKeys keys;
  EXPECT_EQ(held(keys, 0, 1000), 0U);
}

TEST(RecentKeys, every_one_of_the_last_generation_is_held_and_few_others) {
  RecentKeys keys;
  for (std::uint32_t n = 0; n < 2 * kGeneration; ++n) {
    keys.add(key_of(n));
    if (n % 50'000 == 0) {
      ASSERT_EQ(held(keys, n < 1000 ? 0 : n - 1000, n + 1), n < 1000 ? n + 1 : 1001);
    }
  }
  EXPECT_EQ(held(keys, kGeneration, 2 * kGeneration), kGeneration);
  EXPECT_LT(held(keys, 2 * kGeneration, 3 * kGeneration), kGeneration / 80);
}

TEST(RecentKeys, the_oldest_are_forgotten) {
  RecentKeys keys;
  for (std::uint32_t n = 0; n < 3 * kGeneration; ++n) keys.add(key_of(n));
  EXPECT_LT(held(keys, 0, kGeneration), kGeneration / 80);
  EXPECT_EQ(held(keys, 2 * kGeneration, 3 * kGeneration), kGeneration);
}

}  // namespace
}  // namespace sluice
