// SPDX-License-Identifier: Apache-2.0
#include "job/archive/unfinished_records.h"

#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/seeded_random.h"

namespace sluice {
namespace {

constexpr ArchivePosition at(std::uint64_t file, std::uint64_t record) { return {file, record}; }

/// As the queue does it: the record is read, then given out.
std::uint32_t give(UnfinishedRecords& records, ArchivePosition position, const std::string& id,
                   std::uint32_t receive_count = 1) {
  records.read_to({position.file, position.record + 1});
  return records.give_out(position, id, receive_count);
}

TEST(UnfinishedRecords, what_is_loaded_ends_at_the_first_record_that_is_not) {
  UnfinishedRecords records({});
  for (std::uint64_t i = 0; i < 3; ++i) give(records, at(0, i), "id " + std::to_string(i));
  EXPECT_EQ(records.loaded_to(), at(0, 0));
  records.finish(at(0, 1));
  EXPECT_EQ(records.loaded_to(), at(0, 0));
  records.finish(at(0, 0));
  EXPECT_EQ(records.loaded_to(), at(0, 2));
  records.finish(at(0, 2));
  EXPECT_EQ(records.loaded_to(), at(0, 3));
  records.read_to(at(1, 0));
  EXPECT_EQ(records.loaded_to(), at(1, 0));
}

TEST(UnfinishedRecords, what_an_earlier_run_left_loaded_is_not_given_out_again) {
  UnfinishedRecords records(at(2, 5));
  records.finish(at(2, 6));
  EXPECT_EQ(records.loaded_to(), at(2, 5));
  EXPECT_FALSE(records.take_finished(at(2, 5)));
  EXPECT_TRUE(records.take_finished(at(2, 6)));
  EXPECT_FALSE(records.take_finished(at(2, 6)));
}

TEST(UnfinishedRecords, a_record_before_the_start_is_no_longer_of_interest) {
  UnfinishedRecords records(at(2, 5));
  records.finish(at(1, 7));
  EXPECT_FALSE(records.take_finished(at(1, 7)));
  EXPECT_EQ(records.loaded_to(), at(2, 5));
}

TEST(UnfinishedRecords, the_later_of_two_with_one_id_speaks_for_the_earlier) {
  UnfinishedRecords records({});
  EXPECT_EQ(give(records, at(0, 0), "same"), 1U);
  EXPECT_EQ(give(records, at(0, 1), "other"), 1U);
  EXPECT_EQ(give(records, at(1, 0), "same"), 2U);
  records.finish(at(1, 0));
  EXPECT_EQ(records.loaded_to(), at(0, 1));
  records.finish(at(0, 1));
  EXPECT_EQ(records.out(), 0U);
  EXPECT_EQ(give(records, at(1, 1), "same"), 1U) << "it is out for the first time again";
}

TEST(UnfinishedRecords, the_earlier_of_two_with_one_id_speaks_for_itself_only) {
  UnfinishedRecords records({});
  give(records, at(0, 0), "same");
  give(records, at(0, 1), "same");
  records.finish(at(0, 0));
  EXPECT_EQ(records.loaded_to(), at(0, 1));
  records.finish(at(0, 1));
  records.finish(at(0, 1));
  EXPECT_EQ(records.loaded_to(), at(0, 2));
}

TEST(UnfinishedRecords, the_later_of_two_with_one_id_looks_later) {
  UnfinishedRecords records({});
  EXPECT_EQ(give(records, at(0, 0), "same", 3), 3U);
  EXPECT_EQ(give(records, at(0, 1), "same", 1), 4U);
  EXPECT_EQ(give(records, at(0, 2), "same", 9), 9U);
}

TEST(UnfinishedRecords, in_any_order_nothing_counts_as_loaded_before_it_is) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  UnfinishedRecords records({});
  std::map<std::uint64_t, std::string> out;  // by record, what is neither finished nor spoken for
  std::uint64_t next = 0;
  for (int step = 0; step < 20'000; ++step) {
    if (random.chance(0.5)) {
      const std::string id = std::to_string(random.below(20));
      give(records, at(0, next), id);
      out.emplace(next++, id);
    } else if (!out.empty()) {
      const auto chosen = std::next(
          out.begin(),
          static_cast<std::ptrdiff_t>(random.below(std::min<std::size_t>(out.size(), 30))));
      const auto [record, id] = *chosen;
      records.finish(at(0, record));
      // Whatever stands before it under its id is loaded as well.
      std::erase_if(out,
                    [&](const auto& each) { return each.first <= record && each.second == id; });
    }
    const ArchivePosition loaded = records.loaded_to();
    ASSERT_EQ(loaded, at(0, out.empty() ? next : out.begin()->first)) << "step " << step;
  }
}

}  // namespace
}  // namespace sluice
