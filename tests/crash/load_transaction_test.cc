// SPDX-License-Identifier: Apache-2.0
// Killed inside the load transaction, and in its COMMIT. The server does not notice at once: while
// the dead run's backend waits for something, its transaction lives on.
#include <gtest/gtest.h>

#include "tests/crash/crash_world.h"

namespace sluice {
namespace {

constexpr int kMessages = 12;

std::string backends(int count, const std::string& that) {
  return "(SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
         "application_name = 'sluice' AND " +
         that + ") = " + std::to_string(count);
}

constexpr char kInCopy[] = "query LIKE 'COPY \"public\"%' AND wait_event_type = 'Lock'";
constexpr char kInCommit[] = "query = 'COMMIT' AND wait_event = 'SyncRep'";
constexpr char kAtWindowId[] =
    "query LIKE 'INSERT INTO sluice.loaded_window%' AND wait_event_type = 'Lock'";

/// A run goes on after the dead one whose transaction still stands, and one that was killed waiting
/// for it; `release` lets that transaction end.
template <typename Release>
void run_behind_the_dead(CrashWorld& world, Release release) {
  world.kill_when(backends(1, kAtWindowId));
  const auto third = world.start_run();
  world.database().wait_until(backends(2, kAtWindowId));
  release();
  const Outcome outcome = third->wait();
  world.expect_good_end(outcome);
  EXPECT_EQ(outcome.count("duplicate"), 0) << outcome.out;
  world.recover_and_expect_everything_once();
  world.expect_crashes_in_recovery();
}

TEST(LoadTransaction, a_run_killed_after_the_ledgers_copy_is_finished_by_the_next) {
  CrashWorld world;
  world.send(kMessages);
  TestSession other = world.database().session();
  other.run("BEGIN; LOCK TABLE public.user_logins IN ACCESS EXCLUSIVE MODE");
  world.kill_when(backends(1, kInCopy));
  run_behind_the_dead(world, [&] { other.run("COMMIT"); });
}

/// A COMMIT that waits for a standby that there is not.
class CommitHeld : public testing::Test {
 protected:
  CommitHeld() {
    // Only the load insists on the standby.
    world_.database().run("ALTER DATABASE " + world_.database().name() +
                          " SET synchronous_commit = local; SET synchronous_commit = local");
    world_.send(kMessages);
    wait_for_standby("'nobody'");
    world_.kill_when(backends(1, kInCommit));
  }
  void wait_for_standby(const std::string& names) {
    world_.database().run("ALTER SYSTEM SET synchronous_standby_names = " + names);
    world_.database().run("SELECT pg_reload_conf()");
  }

  const OwnCluster cluster_{SLUICE_SOURCE_DIR};
  CrashWorld world_{cluster_};
};

TEST_F(CommitHeld, a_commit_whose_answer_died_with_the_run_is_learned_by_the_next) {
  wait_for_standby("''");
  world_.database().wait_until(backends(0, "true"));
  EXPECT_EQ(world_.database().value("SELECT count(*) FROM sluice.loaded_window"), "1");
  const Outcome outcome = world_.run();
  world_.expect_good_end(outcome);
  EXPECT_EQ(outcome.count("duplicate"), 0) << outcome.out;
  world_.recover_and_expect_everything_once();
  world_.expect_crashes();
}

TEST_F(CommitHeld, a_commit_still_in_flight_is_waited_for_and_learned) {
  run_behind_the_dead(world_, [&] { wait_for_standby("''"); });
}

}  // namespace
}  // namespace sluice
