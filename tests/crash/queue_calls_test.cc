// SPDX-License-Identifier: Apache-2.0
// Killed at every receive and at every delete: before the queue has done it, and after it has but
// nobody was told.
#include <gtest/gtest.h>

#include "tests/crash/crash_world.h"

namespace sluice {
namespace {

constexpr int kMessages = 23;    // five windows
constexpr int kFirstDelete = 2;  // before it a run asks, with a delete of nothing, whether it may
enum class Moment { before, after };

void PrintTo(Moment moment, std::ostream* out) {
  *out << (moment == Moment::before ? "before" : "after");
}

/// A run that is killed at the `time`th call of `operation`. False when it came to its end first.
bool is_killed_at_call(CrashWorld& world, const std::string& operation, Moment moment, int time) {
  const auto gate = std::make_shared<SandboxGate>();
  SandboxFaults& faults = world.aws().faults();
  faults.clear();
  if (moment == Moment::before) {
    faults.add({.on = operation, .calls = {time}, .fault = {.gate = gate, .drop_before = true}});
    world.answer_empty_polls_at_once();
  } else {  // a receive that gets nothing has no effect: it does not count
    world.answer_empty_polls_at_once();
    faults.add(
        {.on = operation, .calls = {time}, .fault = {.gate_after = gate, .drop_after = true}});
  }
  const bool killed = world.is_killed_at(*gate);
  faults.clear();
  world.answer_empty_polls_at_once();
  return killed;
}

class QueueCalls : public testing::TestWithParam<Moment> {
 protected:
  /// A run killed at each call in turn, the run after it at its first such call, until one comes to
  /// its end.
  void kill_at_each(CrashWorld& world, const std::string& operation, int first) {
    bool killed = true;
    for (int time = first; killed && !HasFailure(); ++time) {
      SCOPED_TRACE("call " + std::to_string(time));
      world.send(kMessages);
      killed = is_killed_at_call(world, operation, GetParam(), time);
      if (killed) {
        world.let_leases_lapse();
        is_killed_at_call(world, operation, GetParam(), first);
      }
      world.recover_and_expect_everything_once();
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Moment, QueueCalls, testing::Values(Moment::before, Moment::after),
                         [](const auto& each) {
                           return std::string(each.param == Moment::before ? "before" : "after");
                         });

TEST_P(QueueCalls, a_run_killed_at_any_receive_is_finished_by_the_next) {
  CrashWorld world;
  kill_at_each(world, "ReceiveMessage", 1);
  world.expect_crashes();
}

TEST_P(QueueCalls, a_run_killed_at_any_delete_is_finished_by_the_next) {
  CrashWorld world;
  kill_at_each(world, "DeleteMessageBatch", kFirstDelete);
  world.expect_crashes_in_recovery();
  EXPECT_GT(world.crashes_that_left(WindowState::loaded), 0);
}

TEST_P(QueueCalls, deletes_that_a_crash_left_are_made_before_anything_comes_twice) {
  constexpr int kOneWindow = 5;
  CrashWorld world;
  world.send(kOneWindow);
  EXPECT_TRUE(is_killed_at_call(world, "DeleteMessageBatch", GetParam(), kFirstDelete));
  const Outcome outcome = world.run();  // no lease has lapsed: it can only delete
  EXPECT_EQ(outcome.count("received"), 0);
  EXPECT_EQ(outcome.count("carried_in"), 0);
  EXPECT_EQ(outcome.count("deleted"), kOneWindow);
  world.expect_everything_once();
  world.expect_crashes();
}

}  // namespace
}  // namespace sluice
