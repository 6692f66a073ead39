// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/migrate.h"

#include <array>
#include <cstdio>
#include <future>

#include <gtest/gtest.h>

#include "job/warehouse/ledger_days.h"
#include "job/warehouse/migrations.h"
#include "job/warehouse/schema.h"
#include "tests/support/loading.h"

namespace sluice {
namespace {

const Interrupt kNever;

std::string dump(const TestDatabase& db) {
  const std::string command = "pg_dump '" + db.conninfo() + "'";
  const std::unique_ptr<FILE, decltype(&pclose)> pipe(popen(command.c_str(), "r"), pclose);
  std::string text;
  std::array<char, 4096> line;
  while (fgets(line.data(), line.size(), pipe.get()) != nullptr) {
    // Newer versions put random words around their output.
    if (line[0] != '\\') text += line.data();
  }
  return text;
}

std::string days(TestDatabase& db) {
  return db.value(
      "SELECT string_agg(right(relname, 8), ' ' ORDER BY relname) FROM pg_class"
      " WHERE relkind = 'r' AND relname LIKE 'loaded\\_message\\_%'");
}

TEST(Migrate, running_it_twice_changes_nothing) {
  TestDatabase db;
  Connection connection(db.conninfo(), kNever);
  EXPECT_EQ(migrate(connection), schema_version_of_program());
  const std::string before = dump(db);
  EXPECT_NE(before.find("CREATE TABLE sluice.loaded_message"), std::string::npos);
  EXPECT_EQ(migrate(connection), 0);
  EXPECT_EQ(dump(db), before);
}

TEST(Migrate, the_script_makes_the_same_schema) {
  TestDatabase by_program;
  TestDatabase by_hand;
  Connection connection(by_program.conninfo(), kNever);
  migrate(connection);
  by_hand.run(migration_script());
  const std::string columns =
      "SELECT string_agg(table_name || '.' || column_name || ' ' || data_type, ' ' ORDER BY 1) FROM"
      " (SELECT * FROM information_schema.columns WHERE table_schema = 'sluice' ORDER BY "
      "table_name, ordinal_position) AS c";
  EXPECT_EQ(by_program.value(columns), by_hand.value(columns));
  Connection other(by_hand.conninfo(), kNever);
  EXPECT_EQ(migrate(other), 0);
}

TEST(Migrate, several_at_once_in_a_new_cluster_all_succeed) {
  const OwnCluster cluster(SLUICE_SOURCE_DIR);
  std::array<TestDatabase, 3> dbs = {TestDatabase(cluster), TestDatabase(cluster),
                                     TestDatabase(cluster)};
  std::vector<std::future<int>> running;
  for (int i = 0; i < 9; ++i) {
    running.push_back(std::async(std::launch::async, [conninfo = dbs[i % 3].conninfo()] {
      Connection connection(conninfo, kNever);
      return migrate(connection);
    }));
  }
  int applied = 0;
  for (auto& one : running) applied += one.get();
  EXPECT_EQ(applied, 3 * schema_version_of_program());
}

TEST(Migrate, a_schema_newer_than_the_program_is_refused) {
  TestDatabase db;
  Connection connection(db.conninfo(), kNever);
  migrate(connection);
  db.run("INSERT INTO sluice.migration VALUES (99, 'later')");
  EXPECT_THROW(migrate(connection), Failure);
  EXPECT_FALSE(check_schema(connection).back().ok);
}

TEST(Migrate, a_schema_older_than_the_program_is_refused_and_brought_up_with_what_it_holds) {
  TestDatabase db;
  for (const Migration& migration : migrations().first(2)) {
    db.run(std::string(migration.sql));
    db.run("INSERT INTO sluice.migration VALUES (" + std::to_string(migration.version()) +
           ", 'n')");
  }
  db.run(
      "INSERT INTO sluice.rejected_message (message_id, pipeline, sent_at, reason, receive_count,"
      " sealed_body, key_id) VALUES (gen_random_uuid(), 'p', now(), 'not-json', 1, '', 'k')");
  Connection connection(db.conninfo(), kNever);
  const Finding finding = check_schema(connection).back();
  EXPECT_EQ(finding.fault, Fault::configuration);
  EXPECT_NE(finding.text.find("version 2, this program needs "), std::string::npos);
  EXPECT_EQ(finding.hint, "run `sluice migrate`");
  EXPECT_EQ(migrate(connection), schema_version_of_program() - 2);
  EXPECT_TRUE(check_schema(connection).back().ok);
  EXPECT_EQ(db.value("SELECT to_forward FROM sluice.rejected_message"), "f");
}

TEST(Migrate, each_database_has_an_identity_of_its_own) {
  LoadingDatabase one;
  LoadingDatabase two;
  Connection first(one.loader_conninfo(), kNever);
  Connection second(two.loader_conninfo(), kNever);
  EXPECT_EQ(read_identity(first).size(), 36U);
  EXPECT_NE(read_identity(first), read_identity(second));
  EXPECT_EQ(read_identity(first), read_identity(first));
}

TEST(Schema, a_loader_passes_the_check_and_others_are_told_what_they_lack) {
  LoadingDatabase db;
  Connection loader(db.loader_conninfo(), kNever);
  for (const Finding& finding : check_schema(loader))
    EXPECT_TRUE(finding.ok) << finding.thing << finding.text;

  const auto last = [&] { return check_schema(loader).back(); };
  db.run("REVOKE INSERT ON sluice.rejected_message FROM sluice_loader");
  EXPECT_EQ(last().fault, Fault::rights);
  EXPECT_NE(last().text.find("sluice.rejected_message"), std::string::npos);
  db.run(
      "GRANT INSERT ON sluice.rejected_message TO sluice_loader;"
      "REVOKE UPDATE (forwarded_at) ON sluice.rejected_message FROM sluice_loader");
  EXPECT_NE(last().text.find("UPDATE on sluice.rejected_message"), std::string::npos);
  db.run(
      "GRANT UPDATE (forwarded_at) ON sluice.rejected_message TO sluice_loader;"
      "REVOKE sluice_loader FROM " +
      db.loader());
  EXPECT_EQ(last().fault, Fault::rights);
  EXPECT_EQ(last().thing, "schema sluice");
  db.run("DROP SCHEMA sluice CASCADE");
  EXPECT_EQ(last().fault, Fault::configuration);
  EXPECT_NE(last().hint.find("sluice migrate"), std::string::npos);
}

TEST(Schema, a_read_only_server_is_temporary) {
  TestDatabase db;
  Connection connection(db.conninfo(), kNever);
  connection.execute("SET default_transaction_read_only = on", "testing");
  EXPECT_EQ(check_schema(connection).back().fault, Fault::temporary);
  EXPECT_FALSE(check_schema(connection).back().ok);
}

TEST(Schema, a_database_of_another_encoding_is_refused) {
  const std::string name = "latin_" + TestDatabase().name();
  TestSession admin(TestCluster::shared().conninfo("postgres"));
  admin.run("CREATE DATABASE " + name + " ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
  {
    Connection connection(TestCluster::shared().conninfo(name), kNever);
    const Finding finding = check_schema(connection).back();
    EXPECT_FALSE(finding.ok);
    EXPECT_NE(finding.text.find("LATIN1"), std::string::npos);
  }
  admin.run("DROP DATABASE " + name + " WITH (FORCE)");
}

TEST(LedgerDays, days_are_those_of_utc_whatever_the_time_zones_are) {
  LoadingDatabase db;
  db.run("ALTER DATABASE " + db.name() + " SET timezone = 'Pacific/Kiritimati'; ALTER DATABASE " +
         db.name() + " SET datestyle = 'SQL, DMY'");
  Connection loader(db.loader_conninfo(), kNever);
  EXPECT_EQ(days(db), "20261119 20261120 20261121 20261122");
  prepare_days(loader, kFirstSentMs + 86'400'000, 86'400);
  prepare_days(loader, kFirstSentMs + 86'400'000, 86'400);
  EXPECT_EQ(days(db), "20261119 20261120 20261121 20261122 20261123");
  EXPECT_EQ(db.value("SET timezone = 'UTC'; SELECT pg_get_expr(relpartbound, oid) FROM pg_class"
                     " WHERE relname = 'loaded_message_20261123'"),
            "FOR VALUES FROM ('2026-11-23 00:00:00+00') TO ('2026-11-24 00:00:00+00')");
}

TEST(LedgerDays, an_absurd_number_of_days_is_refused) {
  LoadingDatabase db;
  Connection loader(db.loader_conninfo(), kNever);
  EXPECT_THROW(prepare_days(loader, kFirstSentMs, 500LL * 86'400), Failure);
}

TEST(LedgerDays, pruning_drops_what_the_horizon_has_passed_but_not_what_was_loaded_since) {
  LoadingDatabase db;
  Connection owner(db.conninfo(), kNever);
  db.run(
      "SELECT sluice.add_days((now() - interval '40 days')::date, (now() - interval '20 "
      "days')::date)");
  const std::string count =
      "SELECT count(*) FROM pg_inherits WHERE inhparent = 'sluice.loaded_message'::regclass";
  const std::int64_t before = std::stoll(db.value(count));
  // A backfill of today into the day thirty days ago, one of a fortnight ago into the day 22 days
  // ago, and a normal load of long ago.
  db.run(
      "INSERT INTO sluice.loaded_window SELECT gen_random_uuid(), 'p', gen_random_uuid(), now(), "
      "1, 1, 0, 0, 1, '',"
      " now() - interval '30 days', now() - interval '30 days'");
  db.run(
      "INSERT INTO sluice.loaded_window SELECT gen_random_uuid(), 'p', gen_random_uuid(), now() - "
      "interval '14 days',"
      " 1, 1, 0, 0, 1, '', now() - interval '22 days', now() - interval '22 days'");
  db.run(
      "INSERT INTO sluice.loaded_window SELECT gen_random_uuid(), 'p', gen_random_uuid(), now() - "
      "interval '25 days',"
      " 1, 1, 0, 0, 1, '', now() - interval '26 days', now() - interval '25 days'");
  // One that an earlier pruning detached and did not drop.
  db.run("ALTER TABLE sluice.loaded_message DETACH PARTITION sluice.loaded_message_" +
         db.value("SELECT to_char(now() - interval '40 days', 'YYYYMMDD')"));
  EXPECT_EQ(prune_ledger(owner, 15), 19);
  EXPECT_EQ(std::stoll(db.value(count)), before - 19);
  EXPECT_EQ(
      db.value("SELECT count(*) FROM pg_class, (VALUES (22), (30)) AS of (days)"
               " WHERE relkind = 'r' AND relname = 'loaded_message_' ||"
               " to_char(now() AT TIME ZONE 'UTC' - make_interval(days => days), 'YYYYMMDD')"),
      "2");
  EXPECT_EQ(prune_ledger(owner, 15), 0);
}

TEST(LedgerDays, a_detach_that_was_cut_short_is_finished) {
  LoadingDatabase db;
  Connection owner(db.conninfo(), kNever);
  db.run(
      "SELECT sluice.add_days((now() - interval '20 days')::date, (now() - interval '20 "
      "days')::date)");
  auto reader = db.session();
  reader.run("BEGIN; SELECT count(*) FROM sluice.loaded_message");
  owner.execute("SET lock_timeout = 50", "testing");
  const std::string day = db.value("SELECT to_char(now() - interval '20 days', 'YYYYMMDD')");
  EXPECT_THROW(
      owner.execute("ALTER TABLE sluice.loaded_message DETACH PARTITION sluice.loaded_message_" +
                        day + " CONCURRENTLY",
                    "testing"),
      Failure);
  reader.run("COMMIT");
  EXPECT_EQ(db.value("SELECT count(*) FROM pg_inherits WHERE inhdetachpending"), "1");
  EXPECT_EQ(prune_ledger(owner, 15), 1);
  EXPECT_EQ(db.value("SELECT count(*) FROM pg_inherits WHERE inhdetachpending"), "0");
}

}  // namespace
}  // namespace sluice
