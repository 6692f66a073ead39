// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/occurrences.h"

#include <csignal>
#include <cstring>
#include <random>
#include <unordered_map>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "tests/support/seeded_random.h"
#include "tests/unit/checkpoint_world.h"

namespace sluice {
namespace {

class OccurrencesTest : public CheckpointWorld {};

/// Spread like a keyed digest; another for each number.
Occurrences::Digest128 digest_of(std::uint64_t number) {
  SeededRandom random(number);
  const std::uint64_t halves[2] = {random.next(), random.next()};
  Occurrences::Digest128 digest;
  std::memcpy(digest.data(), halves, digest.size());
  return digest;
}

TEST_F(OccurrencesTest, each_digest_is_counted_by_itself) {
  Occurrences occurrences(folder_);
  EXPECT_EQ(occurrences.count(digest_of(1)), 0U);
  EXPECT_EQ(occurrences.count(digest_of(1)), 1U);
  EXPECT_EQ(occurrences.count(digest_of(2)), 0U);
  EXPECT_EQ(occurrences.count(digest_of(1)), 2U);
  EXPECT_TRUE(names().empty()) << "a few need no file";
}

TEST_F(OccurrencesTest, digests_that_begin_alike_are_told_apart) {
  Occurrences occurrences(folder_);
  Occurrences::Digest128 digest{};
  for (std::uint8_t last = 0; last < 200; ++last) {
    digest[15] = last;
    EXPECT_EQ(occurrences.count(digest), 0U);
  }
  for (std::uint8_t last = 0; last < 200; ++last) {
    digest[15] = last;
    EXPECT_EQ(occurrences.count(digest), 1U);
  }
}

TEST_F(OccurrencesTest, any_number_of_them_is_counted_right) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  Occurrences occurrences(folder_);
  std::unordered_map<std::uint64_t, std::uint64_t> counts;
  for (int i = 0; i < 900'000; ++i) {
    // Many once, some often, some often in a row.
    const std::uint64_t number = random.chance(0.8) ? random.next() : random.below(1000);
    for (std::uint64_t times = 1 + (random.chance(0.01) ? 3 : 0); times > 0; --times) {
      ASSERT_EQ(occurrences.count(digest_of(number)), counts[number]++) << number;
    }
  }
  EXPECT_TRUE(names().empty()) << "the file has no name";
}

TEST_F(OccurrencesTest, cleared_it_begins_anew) {
  Occurrences occurrences(folder_);
  for (int round = 0; round < 2; ++round) {
    for (std::uint64_t number = 0; number < 300'000; ++number) {
      ASSERT_EQ(occurrences.count(digest_of(number)), 0U);
    }
    ASSERT_EQ(occurrences.count(digest_of(7)), 1U);
    occurrences.clear();
  }
}

CheckpointError::Kind kind_of_counting(const std::string& folder) {
  return kind_of_error([&] {
    Occurrences occurrences(folder);
    for (std::uint64_t number = 0; number < 300'000; ++number) {
      occurrences.count(digest_of(number));
    }
  });
}

TEST_F(OccurrencesTest, a_disk_without_room_is_told) {
  for (const rlim_t room : {0, 100'000, 2'000'000}) {
    EXPECT_EQ(status_of_child([&] {
                std::signal(SIGXFSZ, SIG_IGN);
                const rlimit limit = {room, RLIM_INFINITY};
                setrlimit(RLIMIT_FSIZE, &limit);
                return kind_of_counting(folder_) == CheckpointError::Kind::disk_full ? 0 : 1;
              }),
              0)
        << room;
    EXPECT_TRUE(names().empty()) << room;
  }
}

TEST_F(OccurrencesTest, a_folder_that_is_missing_is_told) {
  EXPECT_EQ(kind_of_counting(folder_ / "none"), CheckpointError::Kind::unwritable);
}

}  // namespace
}  // namespace sluice
