// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/run_log.h"

#include <gtest/gtest.h>

#include "job/base/clock.h"
#include "job/base/random.h"
#include "tests/support/loading.h"

namespace sluice {
namespace {

const Interrupt kNever;

TEST(RunLog, a_run_is_recorded_at_its_start_and_completed_at_its_end) {
  LoadingDatabase db;
  Connection loader(db.loader_conninfo(), kNever);
  const std::string first = random_uuid();
  const std::string second = random_uuid();
  begin_run(loader, {first, "numbers", "tonight", "one", kFirstSentMs});
  begin_run(loader, {second, "numbers", "", "two", kFirstSentMs + 1});
  EXPECT_FALSE(end_run(db.loader_conninfo(),
                       {first, kFirstSentMs + 1500, 65, "drained", R"({"counts":{}})"}));

  const std::vector<RunRecord> runs = last_runs(loader, "numbers", 10);
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].run_id, second);
  EXPECT_EQ(runs[0].ended_at, "");
  EXPECT_EQ(runs[0].exit_code, std::nullopt);
  EXPECT_EQ(runs[1].started_at, "2026-11-20T12:00:00.000Z");
  EXPECT_EQ(runs[1].ended_at, "2026-11-20T12:00:01.500Z");
  EXPECT_EQ(runs[1].exit_code, 65);
  EXPECT_EQ(runs[1].run_group, "tonight");
  EXPECT_EQ(runs[1].summary, R"({"counts": {}})");
  EXPECT_EQ(last_runs(loader, "numbers", 1).size(), 1U);
  EXPECT_TRUE(last_runs(loader, "other", 1).empty());
}

TEST(RunLog, of_a_run_that_has_not_told_its_end_what_it_committed_is_known) {
  LoadingDatabase db;
  Connection loader(db.loader_conninfo(), kNever);
  const std::string run = random_uuid();
  begin_run(loader, {run, "numbers", "", "one", now().wall_ms});
  const auto so_far = [&] { return last_runs(loader, "numbers", 1).at(0).so_far; };
  ASSERT_TRUE(so_far());
  EXPECT_EQ(so_far()->windows, 0);
  EXPECT_EQ(so_far()->newest_sent_at, "");
  auto messages = numbered(1, 4);
  messages[1].rejected = true;
  loaded(db.warehouse().load(make_window(messages), false));
  loaded(db.warehouse().load(make_window(numbered(3, 4)), false));
  // What another run loaded is not its own.
  EXPECT_EQ(so_far()->windows, 0);
  db.run("UPDATE sluice.loaded_window SET run_id = '" + run + "'");
  EXPECT_EQ(so_far()->windows, 2);
  EXPECT_EQ(so_far()->loaded, 5);
  EXPECT_EQ(so_far()->duplicate, 2);
  EXPECT_EQ(so_far()->rejected, 1);
  EXPECT_EQ(so_far()->rows, 5);
  EXPECT_EQ(so_far()->newest_sent_at, "2026-11-20T12:00:00.006Z");
  EXPECT_FALSE(end_run(db.loader_conninfo(), {run, now().wall_ms, 0, "drained", "{}"}));
  EXPECT_FALSE(so_far()) << "its summary tells it";
}

TEST(RunLog, a_database_that_is_away_at_the_end_is_told_and_not_thrown) {
  const auto failure = end_run("host=127.0.0.1 port=1", {});
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->fault(), Fault::temporary);
}

TEST(RunLog, rejections_are_counted_by_reason_and_field) {
  LoadingDatabase db;
  db.run("ALTER TABLE public.numbers ADD CHECK (n <> 1)");
  auto messages = numbered(1, 4);
  messages[1].rejected = messages[2].rejected = true;
  loaded(db.warehouse().load(make_window(messages), false));
  Connection loader(db.loader_conninfo(), kNever);
  const std::vector<RejectionCount> counts = rejections_by_reason(loader, "numbers");
  ASSERT_EQ(counts.size(), 2U);
  EXPECT_EQ(counts[0].reason, "not-json");
  EXPECT_EQ(counts[0].messages, 2);
  EXPECT_EQ(counts[1].sqlstate, "23514");
  EXPECT_EQ(counts[0].last_day, 2);
  EXPECT_EQ(counts[0].to_forward, 0);
  db.run(
      "UPDATE sluice.rejected_message SET to_forward = true, rejected_at = now() - interval '2 "
      "days' WHERE reason = 'not-json'");
  EXPECT_EQ(rejections_by_reason(loader, "numbers")[0].last_day, 0);
  EXPECT_EQ(rejections_by_reason(loader, "numbers")[0].to_forward, 2);
}

TEST(Roles, a_reader_reads_and_changes_nothing_and_an_operator_replays_and_reveals) {
  LoadingDatabase db;
  db.run("CREATE ROLE reader_of_" + db.name() + " LOGIN; GRANT sluice_reader TO reader_of_" +
         db.name());
  db.run("CREATE ROLE operator_of_" + db.name() + " LOGIN; GRANT sluice_operator TO operator_of_" +
         db.name());
  Connection reader(db.conninfo("reader_of_" + db.name()), kNever);
  EXPECT_NO_THROW(last_runs(reader, "numbers", 1));
  EXPECT_THROW(begin_run(reader, {random_uuid(), "p", "", "w", 0}), Failure);
  Connection loader(db.loader_conninfo(), kNever);
  const std::string replay =
      "UPDATE sluice.rejected_message SET replayed_at = now() WHERE message_id IS NULL";
  const std::string reveal =
      "INSERT INTO sluice.reveal_audit (who, what, key_id) VALUES ('a', 'b', 'c')";
  Connection person(db.conninfo("operator_of_" + db.name()), kNever);
  for (const std::string& sql : {replay, reveal}) {
    EXPECT_THROW(loader.execute(sql, "testing"), Failure);
    EXPECT_NO_THROW(person.execute(sql, "testing"));
  }
  EXPECT_THROW(loader.execute("DELETE FROM sluice.loaded_message", "testing"), Failure);
  db.run("DROP OWNED BY reader_of_" + db.name() + ", operator_of_" + db.name() +
         "; DROP ROLE reader_of_" + db.name() + ", operator_of_" + db.name());
}

}  // namespace
}  // namespace sluice
