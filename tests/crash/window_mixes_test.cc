// SPDX-License-Identifier: Apache-2.0
// Killed with two and three windows under way in every mix of states, and the recovery killed in
// turn: the next run finishes them, the oldest first and before it asks for anything new.
#include <algorithm>
#include <array>
#include <atomic>
#include <iostream>
#include <set>

#include <gtest/gtest.h>

#include "tests/crash/mixed_world.h"
#include "tests/support/seeded_random.h"

namespace sluice {
namespace {

/// The mixes in which the warehouse does this; none: nothing.
std::vector<Mix> mixes_while(std::string_view at_warehouse) {
  std::vector<Mix> mixes = mixes_in_turn();
  for (const Mix& mix : mixes_out_of_turn()) mixes.push_back(mix);
  std::erase_if(mixes, [at_warehouse](const Mix& mix) {
    return at_warehouse.empty() ? count_of(mix, "cmf") > 0 : count_of(mix, at_warehouse) == 0;
  });
  return mixes;
}

std::vector<std::string> sealed_in(const std::vector<Window>& windows) {
  std::vector<std::string> ids;
  for (const Window& window : windows) {
    if (window.state == WindowState::sealed) ids.push_back(to_text(window.id));
  }
  return ids;
}

struct While {
  const char* name;
  const char* at_warehouse;
};
void PrintTo(const While& each, std::ostream* out) { *out << each.name; }

class WindowMixes : public testing::TestWithParam<While> {
 protected:
  /// Goes on from there to the end. What was sealed is committed in turn, what was open after it.
  void finish() {
    const std::vector<std::string> sealed = sealed_in(world_.windows_left());
    const auto to_carry = world_.messages_to_carry();
    std::atomic<std::size_t> left = 0;  // at a receive
    const auto look = [&](const auto&) {
      left = std::max(left.load(), world_.left_in_queue());
      return false;
    };
    world_.aws().faults().clear();
    world_.aws().faults().add({.on = "ReceiveMessage", .when = look});
    world_.answer_empty_polls_at_once();
    const Outcome outcome = world_.run();
    world_.aws().faults().clear();
    world_.expect_good_end(outcome);
    EXPECT_EQ(outcome.count("carried_in"), to_carry);
    EXPECT_EQ(outcome.count("received"), 0);
    EXPECT_EQ(outcome.count("duplicate"), 0);
    EXPECT_EQ(left, 0U) << "it received before it had finished what it found";
    const std::vector<std::string> commits = world_.commits();
    ASSERT_GE(commits.size(), sealed.size());
    EXPECT_EQ(
        std::vector(commits.end() - static_cast<std::ptrdiff_t>(sealed.size()), commits.end()),
        sealed);
    EXPECT_TRUE(world_.windows_left().empty());
    world_.expect_everything_once();
  }

  MixedWorld world_;
};

constexpr std::array kAll = {While{"a_window_is_copied", "c"}, While{"a_window_is_committed", "m"},
                             While{"a_rejection_is_forwarded", "f"},
                             While{"the_warehouse_rests", ""}};
INSTANTIATE_TEST_SUITE_P(While, WindowMixes, testing::ValuesIn(kAll),
                         [](const auto& each) { return std::string(each.param.name); });

TEST_P(WindowMixes, a_run_killed_in_each_of_them_is_finished_by_the_next) {
  std::set<std::vector<WindowState>> seen;
  std::size_t windows = 0;
  std::size_t rejections = 0;
  const std::vector<Mix> mixes = mixes_while(GetParam().at_warehouse);
  for (const Mix& mix : mixes) {
    SCOPED_TRACE(mix);
    world_.send_and_kill_in(mix);
    seen.insert(states_of(mix));
    world_.kill_in_recovery_of(mix);
    seen.insert(states_of(in_recovery(mix)));
    finish();
    windows += mix.size();
    rejections += count_of(mix, "wf");
    EXPECT_EQ(world_.commits().size(), windows);
    EXPECT_EQ(world_.dead_letters(), rejections);
    if (HasFailure()) break;
  }
  std::cout << mixes.size() << " mixes, " << seen.size() << " rows of states in a checkpoint\n";
  world_.expect_crashes_in_recovery();
}

}  // namespace
}  // namespace sluice
