// SPDX-License-Identifier: Apache-2.0
// A real synchronous standby that stalls, is cut off and is promoted. What was deleted from the
// queue must be on it.
#include <signal.h>

#include "tests/end_to_end/scene.h"
#include "tests/support/tcp_proxy.h"

namespace sluice {
namespace {

constexpr int kBatchSize = 20;
constexpr auto kBatchLeft = static_cast<std::size_t>(kBatchSize);

class Standby : public testing::Test {
 protected:
  Standby() {
    // Only the load insists on the standby.
    database().run("ALTER DATABASE " + database().name() + " SET synchronous_commit = local");
    database().run("ALTER SYSTEM SET synchronous_standby_names = '*'");
    database().run("SELECT pg_reload_conf()");
    // Replayed, too: a run is sent to the standby by mistake, and must find its database there.
    database().wait_until(
        "EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync' AND replay_lsn >= "
        "pg_current_wal_lsn())");
    world_.answer_empty_polls_at_once();
    world_.variables()["SLUICE_WINDOW_MESSAGES"] = std::to_string(kBatchSize);
  }
  TestDatabase& database() { return world_.database(); }
  /// The COMMIT of a backend waits for the standby.
  void wait_for_commit(const std::string& backend_is = "true") {
    database().wait_until(
        "EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND "
        "application_name = 'sluice' AND query = 'COMMIT' AND wait_event = 'SyncRep' AND " +
        backend_is + ")");
  }
  std::string backend() {
    return database().value(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name "
        "= 'sluice'");
  }
  std::string rows() { return database().value("SELECT count(*) FROM public.user_logins"); }
  void point_at_the_promoted() {
    for (const auto& [name, value] : database().environment()) world_.variables()[name] = value;
  }

  const OwnCluster primary_{SLUICE_SOURCE_DIR};
  TcpProxy wire_{primary_.value("PGPORT")};
  const StandbyCluster standby_{SLUICE_SOURCE_DIR, primary_, wire_.port()};
  LoginWorld world_{true, primary_};
};

TEST_F(Standby, nothing_that_was_deleted_is_missing_when_it_is_cut_off_and_promoted) {
  world_.send(kBatchSize);
  const Program::Variables at_primary = world_.variables();
  world_.variables()["PGPORT"] = standby_.value("PGPORT");
  const Outcome misled = world_.run();
  EXPECT_EQ(misled.status, 75) << misled.err;
  EXPECT_EQ(misled.count("received"), 0);
  world_.variables() = at_primary;

  // One that stalls for a while delays the deletes and no more.
  wire_.stall_everything();
  const auto delayed = world_.start_run();
  wait_for_commit();
  EXPECT_EQ(world_.left_in_queue(), kBatchLeft);
  wire_.pass_everything();
  const Outcome good = delayed->wait();
  EXPECT_EQ(good.status, 0) << good.err;
  world_.expect_everything_once();
  const std::string replicated = database().value("SELECT count(*) FROM sluice.loaded_window");

  wire_.stall_everything();
  world_.send(kBatchSize);
  const auto run = world_.start_run();
  wait_for_commit();
  // A cancelled wait: COMMIT, with a warning. It is in doubt, and learning it must wait as well.
  const std::string first = backend();
  database().run("SELECT pg_cancel_backend(" + first + ")");
  wait_for_commit("pid <> " + first);
  EXPECT_EQ(rows(), database().value("SELECT sum(loaded) FROM sluice.loaded_window"));
  EXPECT_EQ(world_.left_in_queue(), kBatchLeft);
  // A crash: it stands there by now, but on no standby.
  primary_.halt("immediate");
  primary_.resume();
  database().move_to(primary_);
  wait_for_commit();
  EXPECT_EQ(world_.left_in_queue(), kBatchLeft);

  wire_.refuse_everything();
  primary_.halt("immediate");
  run->signal(SIGTERM);
  const Outcome stopped = run->wait();
  EXPECT_EQ(stopped.status, 143) << stopped.err;
  EXPECT_EQ(stopped.count("carried_out"), kBatchSize);
  EXPECT_EQ(stopped.count("deleted"), 0);
  expect_books_add_up(stopped.summary());

  standby_.promote();
  database().move_to(standby_);
  point_at_the_promoted();
  EXPECT_EQ(database().value("SELECT count(*) FROM sluice.loaded_window"), replicated);
  const Outcome next = world_.run();
  EXPECT_EQ(next.status, 0) << next.err;
  EXPECT_EQ(next.count("carried_in"), kBatchSize);
  EXPECT_EQ(next.count("duplicate"), 0);
  world_.run_until_empty();
  world_.expect_everything_once();
}

}  // namespace
}  // namespace sluice
