// SPDX-License-Identifier: Apache-2.0
// Killed in each state of a window, held there from outside: that it was that state is looked at,
// not hoped for. The queue sends to the dead letters what it gave five times.
#include <gtest/gtest.h>

#include "tests/crash/hold.h"

namespace sluice {
namespace {

constexpr int kMessages = 25;  // a window of its own; the deletes are three

class WindowStates : public testing::TestWithParam<Phase> {
 protected:
  WindowStates() {
    SandboxSqs& sqs = world_.aws().sqs();
    sqs.add_queue({.name = "dead"});
    world_.use_queue({.name = "logins", .max_receive_count = 5, .dead_letter_queue = "dead"});
    world_.variables()["SLUICE_WINDOW_MESSAGES"] = "30";
    world_.variables()["SLUICE_RECEIVERS"] = "1";
  }
  ~WindowStates() override {
    world_.aws().sqs().with_queue("dead", [](SandboxQueue& queue, Now now) {
      EXPECT_EQ(queue.tally(now).sent, 0U) << "a good message walked to the dead letters";
    });
  }

  void kill_in(Phase phase) {
    sluice::kill_in(world_, phase);
    for (const Window& window : world_.windows_left()) {
      EXPECT_EQ(window.messages, static_cast<std::uint32_t>(kMessages));
    }
  }

  CrashWorld world_;
};

constexpr std::array kPhases = {Phase::open,     Phase::loading,         Phase::committing,
                                Phase::deleting, Phase::between_deletes, Phase::deleted};
INSTANTIATE_TEST_SUITE_P(Killed, WindowStates, testing::ValuesIn(kPhases),
                         [](const auto& each) { return std::string(name_of(each.param)); });

TEST_P(WindowStates, a_run_killed_in_it_is_finished_by_the_next) {
  world_.send(kMessages);
  kill_in(GetParam());
  world_.recover_and_expect_everything_once();
  world_.expect_crashes();
}

TEST_P(WindowStates, a_recovery_killed_in_it_is_finished_by_the_next) {
  world_.send(kMessages);
  kill_in(Phase::open);
  if (GetParam() == Phase::open) world_.send(kMessages);  // it finishes the first and takes these
  kill_in(GetParam());
  world_.recover_and_expect_everything_once();
  world_.expect_crashes_in_recovery();
}

TEST_P(WindowStates, the_next_run_gets_there_before_any_lease_has_lapsed) {
  world_.send(kMessages);
  kill_in(GetParam());
  const bool loaded = state_in(GetParam()) == WindowState::loaded;
  const Outcome outcome = world_.run();
  world_.expect_good_end(outcome);
  EXPECT_EQ(outcome.count("received"), 0);
  EXPECT_EQ(outcome.count("carried_in"), loaded ? 0 : kMessages);
  EXPECT_EQ(outcome.count("deleted"), kMessages);
  EXPECT_EQ(outcome.count("duplicate"), 0);
  EXPECT_TRUE(world_.windows_left().empty());
  world_.expect_everything_once();
}

}  // namespace
}  // namespace sluice
