// SPDX-License-Identifier: Apache-2.0
// What is known when a load does not end well.
#include <future>

#include <gtest/gtest.h>

#include "tests/support/loading.h"

namespace sluice {
namespace {

/// Someone else's lock on the target: a load waits in its COPY.
class Blocked {
 public:
  explicit Blocked(LoadingDatabase& db) : session_(db.session()) {
    session_.run("BEGIN; LOCK TABLE public.numbers IN ACCESS EXCLUSIVE MODE");
  }
  void release() { session_.run("COMMIT"); }

 private:
  TestSession session_;
};

std::future<LoadResult> start(PostgresWarehouse& warehouse, const SealedWindow& window) {
  return std::async(std::launch::async, [&] { return warehouse.load(window, false); });
}

std::string contents(LoadingDatabase& db) {
  return db.value(
      "SELECT (SELECT count(*) FROM public.numbers) || ' ' || (SELECT count(*) FROM "
      "sluice.loaded_message)"
      " || ' ' || (SELECT count(*) FROM sluice.loaded_window)");
}

constexpr char kInCopy[] = "query LIKE 'COPY \"public\"%' AND wait_event_type = 'Lock'";
std::string backends(const std::string& condition) {
  return "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
         "application_name = 'sluice' AND " +
         condition;
}

TEST(InDoubt, a_connection_cut_in_the_copy_leaves_nothing_and_the_next_load_succeeds) {
  LoadingDatabase db;
  auto warehouse = db.warehouse();
  const SealedWindow window = make_window(numbered(1, 5));
  Blocked blocked(db);
  auto first = start(warehouse, window);
  db.terminate(kInCopy);
  const LoadFailed failure = failed(first.get());
  EXPECT_TRUE(failure.again);
  EXPECT_EQ(failure.failure.fault(), Fault::temporary);
  blocked.release();
  EXPECT_EQ(contents(db), "0 0 0");
  EXPECT_EQ(loaded(warehouse.load(window, false)).loaded, 5U);
}

TEST(InDoubt, an_interrupt_ends_a_wait_for_a_lock_and_the_backend_with_it) {
  LoadingDatabase db;
  auto warehouse = db.warehouse();
  const SealedWindow window = make_window(numbered(1, 5));
  Blocked blocked(db);
  auto waiting = start(warehouse, window);
  db.wait_until("(" + backends(kInCopy) + ") = 1");
  warehouse.interrupt();
  const LoadFailed failure = failed(waiting.get());
  EXPECT_TRUE(failure.again);
  EXPECT_NE(failure.failure.message().find("interrupted"), std::string::npos);
  db.wait_until("(" + backends("true") + ") = 0");
  EXPECT_TRUE(failed(warehouse.load(window, false)).again);
  blocked.release();
  EXPECT_EQ(contents(db), "0 0 0");
}

TEST(InDoubt, a_wait_for_a_lock_has_a_limit_and_is_temporary) {
  LoadingDatabase db;
  auto warehouse = db.warehouse({.lock_ms = 50});
  const Blocked blocked(db);
  const LoadFailed failure = failed(warehouse.load(make_window(numbered(1, 5)), false));
  EXPECT_TRUE(failure.again);
  EXPECT_EQ(failure.failure.fault(), Fault::temporary);
  EXPECT_NE(failure.failure.message().find("55P03"), std::string::npos);
}

TEST(InDoubt, a_load_waits_for_an_earlier_one_of_the_same_window_and_learns_its_commit) {
  LoadingDatabase db;
  auto one = db.warehouse();
  auto two = db.warehouse();
  const SealedWindow window = make_window(numbered(1, 5));
  Blocked blocked(db);
  auto first = start(one, window);
  db.wait_until("(" + backends(kInCopy) + ") = 1");
  auto second = start(two, window);
  db.wait_until("(" + backends("query LIKE 'INSERT%' AND wait_event_type = 'Lock'") + ") = 1");
  blocked.release();
  EXPECT_FALSE(std::get<Loaded>(first.get()).learned);
  const LoadResult learned = second.get();
  EXPECT_TRUE(std::get<Loaded>(learned).learned);
  EXPECT_EQ(loaded(learned).loaded, 5U);
  EXPECT_EQ(contents(db), "5 5 1");
}

constexpr char kInCommit[] = "query = 'COMMIT' AND wait_event = 'SyncRep'";

TEST(InDoubt, only_a_commit_that_the_standby_has_is_believed_or_learned) {
  const OwnCluster cluster(SLUICE_SOURCE_DIR);
  LoadingDatabase db(cluster);
  auto warehouse = db.warehouse({.commit_ms = 15'000});  // so that a failure ends
  const SealedWindow window = make_window(numbered(1, 5));
  // Settings that would hide the wait or its warning, if a load did not see to them itself.
  db.run("ALTER ROLE " + db.loader() + " SET client_min_messages = error");
  db.run("ALTER DATABASE " + db.name() + " SET synchronous_commit = local");
  db.run("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
  db.run("SELECT pg_reload_conf()");

  auto cancelled = start(warehouse, window);
  db.wait_until("(" + backends(kInCommit) + ") = 1");
  db.run("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'sluice'");
  EXPECT_TRUE(failed(cancelled.get()).again);  // COMMIT, with a warning
  EXPECT_EQ(contents(db), "5 5 1");

  auto cut =
      start(warehouse, window);  // it is there, but not on the standby: learning must wait as well
  db.terminate(kInCommit);
  EXPECT_TRUE(failed(cut.get()).again);

  auto impatient = db.warehouse({.commit_ms = 100});
  EXPECT_TRUE(failed(impatient.load(window, false)).again);

  auto learning = start(warehouse, window);
  db.wait_until("(" + backends(kInCommit) + ") > 0");
  db.run("ALTER SYSTEM RESET synchronous_standby_names");
  db.run("SELECT pg_reload_conf()");
  const LoadResult learned = learning.get();
  EXPECT_TRUE(std::get<Loaded>(learned).learned);
  EXPECT_EQ(loaded(learned).loaded, 5U);
  EXPECT_EQ(contents(db), "5 5 1");
}

TEST(InDoubt, a_server_that_is_away_is_temporary) {
  LoadingDatabase db;
  PostgresWarehouse warehouse("host=127.0.0.1 port=1", db.pipeline, "", {});
  const LoadFailed failure = failed(warehouse.load(make_window(numbered(1, 1)), false));
  EXPECT_TRUE(failure.again);
  EXPECT_EQ(failure.failure.fault(), Fault::temporary);
}

}  // namespace
}  // namespace sluice
