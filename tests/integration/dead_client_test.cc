// SPDX-License-Identifier: Apache-2.0
// A worker that died without a word: its backend must not keep the window's id and the ledger's
// keys for longer than the limits that its connection brought along.
#include <future>

#include <gtest/gtest.h>

#include "tests/support/loading.h"
#include "tests/support/tcp_proxy.h"

namespace sluice {
namespace {

using Act = TcpProxy::Act;

TEST(DeadClient, every_load_brings_the_limits_of_its_backend_along) {
  LoadingDatabase db;
  db.run("ALTER DATABASE " + db.name() + " SET default_transaction_isolation = serializable");
  db.run("ALTER DATABASE " + db.name() + " SET synchronous_commit = off");
  db.run(
      "CREATE TABLE seen AS SELECT name, setting FROM pg_settings WHERE false;"
      "CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$BEGIN"
      " INSERT INTO public.seen SELECT name, setting FROM pg_settings; RETURN NULL; END$$;"
      "CREATE TRIGGER look AFTER INSERT ON public.numbers EXECUTE FUNCTION look()");
  auto warehouse = db.warehouse(
      {.lock_ms = 11'000, .statement_ms = 12'000, .idle_ms = 13'000}, nullptr,
      TestCluster::shared().value("PGPORT"));  // a socket of the file system has no keepalives
  loaded(warehouse.load(make_window(numbered(1, 3)), false));
  const std::map<std::string, std::string> wanted = {
      {"lock_timeout", "11000"},
      {"statement_timeout", "12000"},
      {"idle_in_transaction_session_timeout", "13000"},
      {"tcp_keepalives_idle", "30"},
      {"tcp_keepalives_interval", "10"},
      {"tcp_keepalives_count", "3"},
      {"tcp_user_timeout", "30000"},
      {"synchronous_commit", "on"},
      {"transaction_isolation", "read committed"},
      {"application_name", "sluice"},
  };
  for (const auto& [name, setting] : wanted) {
    EXPECT_EQ(db.value("SELECT setting FROM seen WHERE name = '" + name + "'"), setting) << name;
  }
}

TEST(DeadClient, the_worker_notices_a_dead_server_by_keepalives_and_unacknowledged_data) {
  const ConnectionOptions options = connection_options("host=127.0.0.1").at(0);
  for (const char* name : {"connect_timeout", "keepalives_idle", "keepalives_interval",
                           "keepalives_count", "tcp_user_timeout"}) {
    ASSERT_TRUE(options.contains(name)) << name;
    EXPECT_GT(std::stoi(options.at(name)), 0) << name;
  }
  EXPECT_EQ(options.at("target_session_attrs"), "read-write");
  EXPECT_EQ(connection_options("tcp_user_timeout=7").at(0).at("tcp_user_timeout"), "7");
}

/// A load whose worker is there no more since the message that asks for `last`; the network tells
/// nobody.
class Vanished {
 public:
  Vanished(const LoadingDatabase& db, const SealedWindow& window, LoadLimits limits,
           const std::string& last)
      : warehouse_(db.warehouse(limits, nullptr, proxy_.port())) {
    proxy_.set_rule([this, last, gone = false](const TcpProxy::Message& message) mutable {
      if (!gone && message.asks_for(last)) {
        gone = true;
        gone_.set_value();
      }
      return gone && message.from_client ? Act::stall : Act::pass;
    });
    load_ = std::async(std::launch::async, [&] { return warehouse_.load(window, false); });
    gone_.get_future().wait();
  }
  /// It was not dead after all: what does it say now?
  LoadResult wakes_up() {
    proxy_.pass_everything();
    return load_.get();
  }

 private:
  std::promise<void> gone_;
  TcpProxy proxy_{TestCluster::shared().value("PGPORT")};
  PostgresWarehouse warehouse_;
  std::future<LoadResult> load_;
};

TEST(DeadClient, its_locks_are_gone_when_its_transaction_was_idle_for_too_long) {
  LoadingDatabase db;
  const SealedWindow window = make_window(numbered(1, 5));
  Vanished dead(db, window, {.idle_ms = 300}, "COMMIT");
  auto heir = db.warehouse();
  // It waits for the id, as it must: the dead one may be about to commit.
  const LoadResult result = heir.load(window, false);
  EXPECT_FALSE(std::get<Loaded>(result).learned);
  EXPECT_EQ(loaded(result).loaded, 5U);
  // Its COMMIT meets no transaction.
  EXPECT_TRUE(failed(dead.wakes_up()).again);
  EXPECT_EQ(db.value("SELECT count(*) || ' ' || count(DISTINCT n) FROM public.numbers"), "5 5");
}

TEST(DeadClient, who_waits_for_its_locks_gives_up_for_now) {
  LoadingDatabase db;
  const SealedWindow window = make_window(numbered(1, 5));
  Vanished dead(db, window, {}, "COMMIT");
  const auto same = failed(db.warehouse({.lock_ms = 50}).load(window, false));
  EXPECT_TRUE(same.again);
  EXPECT_NE(same.failure.message().find("55P03"), std::string::npos);
  auto others = numbered(4, 5);  // shares two messages with it
  const auto sharing = failed(db.warehouse({.lock_ms = 50}).load(make_window(others), false));
  EXPECT_TRUE(sharing.again);
  EXPECT_EQ(sharing.failure.fault(), Fault::temporary);
  EXPECT_EQ(loaded(dead.wakes_up()).loaded, 5U);
}

TEST(DeadClient, a_statement_that_runs_for_too_long_is_ended_by_the_server) {
  LoadingDatabase db;
  db.run(
      "CREATE FUNCTION sleep() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(600);"
      " RETURN NULL; END$$;"
      "CREATE TRIGGER sleep AFTER INSERT ON public.numbers EXECUTE FUNCTION sleep()");
  const auto slow =
      failed(db.warehouse({.statement_ms = 100}).load(make_window(numbered(1, 2)), false));
  EXPECT_TRUE(slow.again);
  EXPECT_NE(slow.failure.message().find("57014"), std::string::npos);
  db.run("DROP TRIGGER sleep ON public.numbers");
  EXPECT_EQ(loaded(db.warehouse().load(make_window(numbered(1, 2)), false)).loaded, 2U);
}

}  // namespace
}  // namespace sluice
