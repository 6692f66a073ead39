// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/support/loading.h"

namespace sluice {
namespace {

std::string rows_of(LoadingDatabase& db) {
  return db.value("SELECT coalesce(string_agg(n::text, ' ' ORDER BY n), '') FROM public.numbers");
}
std::string order_of(LoadingDatabase& db) {
  return db.value("SELECT string_agg(n::text, ' ' ORDER BY ctid) FROM public.numbers");
}

TEST(Load, a_window_becomes_rows_ledger_rejections_and_its_record_in_one_transaction) {
  LoadingDatabase db;
  auto messages = numbered(1, 3);
  messages.push_back({.n = 4, .rejected = true, .receive_count = 3});
  const SealedWindow window = make_window(messages);
  const LoadResult result = db.warehouse().load(window, false);
  const LoadCounts counts = loaded(result);
  EXPECT_EQ(counts.loaded, 3U);
  EXPECT_EQ(counts.duplicate, 0U);
  EXPECT_EQ(counts.rejected, 1U);
  EXPECT_EQ(counts.rows, (std::vector<std::uint64_t>{3, 0}));
  EXPECT_FALSE(std::get<Loaded>(result).learned);
  EXPECT_EQ(rows_of(db), "1 2 3");
  EXPECT_EQ(db.rows("SELECT sent_at AT TIME ZONE 'UTC', message_id, pipeline FROM "
                    "sluice.loaded_message ORDER BY 1")[3],
            (Row{"2026-11-20 12:00:00.004", "00000000-0000-0000-0000-000000000004", "numbers"}));
  EXPECT_EQ(
      db.rows("SELECT reason, receive_count, encode(sealed_body, 'escape'), key_id, field IS NULL,"
              " forwarded_at IS NULL FROM sluice.rejected_message"),
      (std::vector<Row>{{"not-json", "3", "sealed ", "k1", "t", "t"}}));
  EXPECT_EQ(db.rows("SELECT messages, loaded, duplicate, rejected, row_count, pipeline FROM "
                    "sluice.loaded_window"),
            (std::vector<Row>{{"4", "3", "0", "1", "3", "numbers"}}));
}

TEST(Load, a_window_that_is_loaded_again_is_learned_with_the_counts_of_the_first_time) {
  LoadingDatabase db;
  auto warehouse = db.warehouse();
  loaded(warehouse.load(make_window(numbered(1, 2)), false));
  auto messages = numbered(1, 5);
  for (TestMessage& message : messages) message.receive_count = 2;
  const SealedWindow window = make_window(messages);
  EXPECT_EQ(loaded(warehouse.load(window, false)).duplicate, 2U);
  const LoadResult again = warehouse.load(window, false);
  EXPECT_TRUE(std::get<Loaded>(again).learned);
  EXPECT_EQ(loaded(again).loaded, 3U);
  EXPECT_EQ(loaded(again).duplicate, 2U);
  EXPECT_TRUE(std::get<Loaded>(warehouse.load(window, true)).learned);
  EXPECT_EQ(rows_of(db), "1 2 3 4 5");
}

TEST(Load, other_contents_under_a_known_id_are_not_taken_for_the_known_window) {
  LoadingDatabase db;
  auto warehouse = db.warehouse();
  SealedWindow window = make_window(numbered(1, 2));
  loaded(warehouse.load(window, false));
  SealedWindow other = make_window(numbered(3, 2));
  other.window.id = window.window.id;
  EXPECT_TRUE(std::holds_alternative<OtherContents>(warehouse.load(other, false)));
  EXPECT_TRUE(std::holds_alternative<OtherContents>(warehouse.load(other, true)));
  EXPECT_EQ(rows_of(db), "1 2");
  other.window.id[0] ^= 1;
  loaded(warehouse.load(other, false));
  EXPECT_EQ(rows_of(db), "1 2 3 4");
}

TEST(Load, only_if_committed_changes_nothing_when_it_is_not) {
  LoadingDatabase db;
  auto warehouse = db.warehouse();
  const SealedWindow window = make_window(numbered(1, 2));
  EXPECT_TRUE(std::holds_alternative<NotCommitted>(warehouse.load(window, true)));
  EXPECT_EQ(db.value("SELECT count(*) FROM sluice.loaded_window"), "0");
  loaded(warehouse.load(window, false));
}

TEST(Load, a_day_that_the_ledger_lacks_is_added) {
  LoadingDatabase db;
  auto messages = numbered(1, 2);
  messages.push_back({.n = 3, .sent_ms = 1'000});
  messages.push_back({.n = 4, .sent_ms = kFirstSentMs - 700LL * 86'400'000});
  EXPECT_EQ(loaded(db.warehouse().load(make_window(messages), false)).loaded, 4U);
  EXPECT_EQ(
      db.value("SELECT tableoid::regclass FROM sluice.loaded_message ORDER BY sent_at LIMIT 1"),
      "sluice.loaded_message_19700101");
}

TEST(Load, rows_of_a_fifo_queue_are_loaded_in_the_order_of_their_sequence) {
  LoadingDatabase db;
  std::vector<TestMessage> messages = {{.n = 1, .sequence = "18870000000000000001"},
                                       {.n = 2, .sequence = "9870000000000000002"},
                                       {.n = 3, .sequence = "18869999999999999999"}};
  loaded(db.warehouse().load(make_window(messages), false));
  EXPECT_EQ(order_of(db), "2 3 1");
}

TEST(Load, rows_appear_in_the_order_of_the_ledger_otherwise) {
  LoadingDatabase db;
  auto messages = numbered(1, 3);
  std::swap(messages[0], messages[2]);
  loaded(db.warehouse().load(make_window(messages), false));
  EXPECT_EQ(order_of(db), "1 2 3");
}

TEST(Load, nothing_is_compiled_whatever_the_database_says) {
  LoadingDatabase db;
  db.run("ALTER ROLE " + db.loader() + " SET jit = on;" +
         "ALTER TABLE public.numbers ADD jit text DEFAULT current_setting('jit')");
  loaded(db.warehouse().load(make_window(numbered(1, 1)), false));
  EXPECT_EQ(db.value("SELECT jit FROM public.numbers"), "off");
}

TEST(Load, without_the_right_to_insert_it_fails_for_good_and_names_the_table) {
  LoadingDatabase db;
  db.run("REVOKE INSERT ON public.numbers FROM " + db.loader());
  const LoadFailed failure = failed(db.warehouse().load(make_window(numbered(1, 1)), false));
  EXPECT_EQ(failure.failure.fault(), Fault::rights);
  EXPECT_FALSE(failure.again);
  EXPECT_NE(failure.failure.message().find("numbers"), std::string::npos);
}

TEST(Load, a_column_that_changed_its_type_during_the_run_rejects_nothing) {
  LoadingDatabase db;
  db.run("ALTER TABLE public.numbers ALTER n TYPE bigint");
  const LoadFailed failure = failed(db.warehouse().load(make_window(numbered(1, 3)), false));
  EXPECT_EQ(failure.failure.fault(), Fault::configuration);
  EXPECT_FALSE(failure.again);
  EXPECT_EQ(db.value("SELECT count(*) FROM sluice.rejected_message"), "0");
}

}  // namespace
}  // namespace sluice
