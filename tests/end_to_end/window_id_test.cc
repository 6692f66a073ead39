// SPDX-License-Identifier: Apache-2.0
// The id of a window is random: one that is counted, or made from a clock or a process, would be
// made a second time once the checkpoint is lost, and read as "already loaded".
#include <bitset>

#include "tests/end_to_end/scene.h"

namespace sluice {
namespace {

std::vector<std::bitset<128>> ids_of_one_run() {
  LoginWorld world;
  for (int i = 0; i < 12; ++i) world.send_body(login_body(std::to_string(i)));
  const Outcome outcome = world.run({"--window-messages", "4", "--empty-polls", "1"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  std::vector<std::bitset<128>> ids;
  for (const Row& row : world.database().rows(
           "SELECT ('x' || replace(window_id::text, '-', ''))::bit(128)::text FROM "
           "sluice.loaded_window")) {
    ids.emplace_back(row[0]);
  }
  EXPECT_EQ(ids.size(), 3U);
  return ids;
}

TEST(WindowIds, those_of_runs_that_know_nothing_of_each_other_have_nothing_in_common) {
  std::vector<std::bitset<128>> ids = ids_of_one_run();
  for (const auto& id : ids_of_one_run()) ids.push_back(id);
  // Of 128 random bits two ids share 64, and less than 24 or more than 104 once in 10^12 pairs.
  for (std::size_t one = 0; one < ids.size(); ++one) {
    for (std::size_t other = 0; other < one; ++other) {
      EXPECT_GT((ids[one] ^ ids[other]).count(), 24U) << ids[one] << "\n" << ids[other];
      EXPECT_LT((ids[one] ^ ids[other]).count(), 104U) << ids[one] << "\n" << ids[other];
    }
  }
}

}  // namespace
}  // namespace sluice
