// SPDX-License-Identifier: Apache-2.0
// Killed at every durable step of the checkpoint. A transaction of SQLite is four: the journal, its
// header, the database, the end of the journal, which is the commit; each is an fdatasync. fsync is
// for the folder, when a file is new in it.
#include <iostream>
#include <random>

#include <gtest/gtest.h>

#include "tests/crash/crash_world.h"
#include "tests/support/seeded_random.h"

namespace sluice {
namespace {

constexpr int kMessages = 12;  // three windows

/// A run with new messages, killed at every `stride`th step from `first` until one comes to its
/// end; after each, `and_then`.
template <typename Then>
void kill_at_each_step(CrashWorld& world, int first, int stride, Then and_then) {
  bool killed = true;
  for (int step = first; killed && !testing::Test::HasFailure(); step += stride) {
    SCOPED_TRACE("step " + std::to_string(step));
    world.send(kMessages);
    killed = world.is_killed_at("fdatasync", step);
    and_then();
  }
}

/// The steps are dealt out to several tests, which may run side by side.
constexpr int kHands = 4;
class CheckpointSteps : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Hand, CheckpointSteps, testing::Range(1, kHands + 1));

TEST_P(CheckpointSteps, a_run_killed_at_any_of_them_is_finished_by_the_next) {
  CrashWorld world;
  kill_at_each_step(world, GetParam(), kHands, [&] { world.recover_and_expect_everything_once(); });
  world.expect_crashes();
  // None open: a window that fills at once is staged and sealed in one move. window_states_test.cc
  // holds runs while one is.
  for (const auto state : {WindowState::sealed, WindowState::loaded}) {
    EXPECT_GT(world.crashes_that_left(state), 0);
  }
}

TEST_P(CheckpointSteps, a_recovery_killed_at_any_of_them_is_finished_by_the_next) {
  constexpr std::uint64_t kStepsOfRecovery = 24;
  const std::uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  SeededRandom random(seed);
  CrashWorld world;
  kill_at_each_step(world, GetParam(), kHands, [&] {
    const int again = 1 + static_cast<int>(random.below(kStepsOfRecovery));
    SCOPED_TRACE("and again at step " + std::to_string(again));
    world.let_leases_lapse();
    world.is_killed_at("fdatasync", again);
    world.recover_and_expect_everything_once();
  });
  world.expect_crashes_in_recovery();
}

TEST_P(CheckpointSteps, a_recovery_of_windows_in_several_states_is_killed_at_each_of_them) {
  constexpr int kMidway = 30;  // of about 78
  CrashWorld world;
  bool killed = true;
  for (int step = GetParam(); killed && !HasFailure(); step += kHands) {
    SCOPED_TRACE("step " + std::to_string(step));
    world.send(kMessages);
    EXPECT_TRUE(world.is_killed_at("fdatasync", kMidway));
    world.let_leases_lapse();
    killed = world.is_killed_at("fdatasync", step);
    world.recover_and_expect_everything_once();
  }
  world.expect_crashes_in_recovery();
}

TEST(CheckpointStepsInARow, recoveries_each_killed_one_step_later_end_with_everything_once) {
  CrashWorld world;
  world.send(5 * kMessages);
  for (int step = 1; world.is_killed_at("fdatasync", step) && !HasFailure(); ++step) {
    world.let_leases_lapse();
  }
  world.recover_and_expect_everything_once();
  world.expect_crashes_in_recovery();
}

constexpr int kSpread = 5;

TEST(LostCheckpoint, a_crash_and_no_checkpoint_after_it_lose_and_double_nothing) {
  CrashWorld world;
  kill_at_each_step(world, 1, kSpread, [&] {
    world.forget_checkpoint();
    world.recover_and_expect_everything_once();
  });
  world.expect_crashes();
}

TEST(LostCheckpoint, the_file_of_a_crash_put_back_after_its_recovery_doubles_nothing) {
  CrashWorld world;
  kill_at_each_step(world, 3, kSpread, [&] {
    const std::string copy = world.folder() + "/kept";
    world.copy_checkpoint(world.checkpoint(), copy);
    world.recover_and_expect_everything_once();
    world.copy_checkpoint(copy, world.checkpoint());
    world.recover_and_expect_everything_once();
  });
  world.expect_crashes();
}

TEST(LostCheckpoint, a_run_killed_while_it_makes_the_file_is_finished_by_the_next) {
  constexpr int kStepsOfMaking = 8;  // at most
  CrashWorld world;
  for (const char* call : {"fsync", "fdatasync"}) {
    bool killed = true;
    for (int step = 1; killed && step <= kStepsOfMaking; ++step) {
      SCOPED_TRACE(call + (" " + std::to_string(step)));
      world.forget_checkpoint();
      world.send(kMessages);
      killed = world.is_killed_at(call, step);
      EXPECT_TRUE(killed || step > 1);
      world.recover_and_expect_everything_once();
    }
  }
  world.expect_crashes();
}

}  // namespace
}  // namespace sluice
