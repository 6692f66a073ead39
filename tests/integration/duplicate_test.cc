// SPDX-License-Identifier: Apache-2.0
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/loading.h"

namespace sluice {
namespace {

std::string rows_of(LoadingDatabase& db) {
  return db.value("SELECT count(*) || ' ' || count(DISTINCT n) FROM public.numbers");
}

TEST(Duplicates, a_message_marked_as_received_before_is_dropped_when_the_ledger_has_it) {
  LoadingDatabase db;
  auto warehouse = db.warehouse();
  loaded(warehouse.load(make_window(numbered(1, 10)), false));
  auto messages = numbered(6, 10);
  for (TestMessage& message : messages) message.receive_count = 2;
  const LoadCounts counts = loaded(warehouse.load(make_window(messages), false));
  EXPECT_EQ(counts.loaded, 5U);
  EXPECT_EQ(counts.duplicate, 5U);
  EXPECT_EQ(rows_of(db), "15 15");
}

TEST(Duplicates, one_that_is_not_marked_is_found_by_the_ledgers_key) {
  LoadingDatabase db;
  loaded(db.warehouse().load(make_window(numbered(1, 10)), false));  // by another worker
  auto messages = numbered(6, 10);
  messages[2].rejected =
      true;  // a message that is in the ledger is a duplicate, whatever it is judged now
  messages[8].rejected = true;
  messages[1].receive_count = 7;
  const LoadCounts counts = loaded(db.warehouse().load(make_window(messages), false));
  EXPECT_EQ(counts.loaded, 4U);
  EXPECT_EQ(counts.duplicate, 5U);
  EXPECT_EQ(counts.rejected, 1U);
  EXPECT_EQ(rows_of(db), "14 14");
  EXPECT_EQ(db.value("SELECT sum(loaded + duplicate + rejected) FROM sluice.loaded_window"), "20");
}

/// A database that counts the transactions that began to load, those that were rolled back too.
class CountingDatabase : public LoadingDatabase {
 public:
  CountingDatabase() {
    run("CREATE SEQUENCE public.attempts; GRANT USAGE ON SEQUENCE public.attempts TO PUBLIC;"
        "ALTER TABLE sluice.loaded_window ADD attempt bigint DEFAULT nextval('public.attempts')");
  }
  std::string attempts() { return value("SELECT last_value FROM public.attempts"); }
};

TEST(Duplicates, one_that_this_process_loaded_is_found_before_the_ledgers_key_complains) {
  CountingDatabase db;
  auto warehouse = db.warehouse();
  loaded(warehouse.load(make_window(numbered(1, 10)), false));
  EXPECT_EQ(loaded(warehouse.load(make_window(numbered(6, 10)), false)).duplicate, 5U);
  EXPECT_EQ(loaded(warehouse.load(make_window(numbered(1, 20)), false)).duplicate, 15U);
  EXPECT_EQ(db.attempts(), "3");
  EXPECT_EQ(rows_of(db), "20 20");
}

TEST(Duplicates, after_one_that_nothing_announced_the_next_window_expects_more_of_them) {
  CountingDatabase db;
  loaded(db.warehouse().load(make_window(numbered(1, 30)), false));
  auto warehouse = db.warehouse();
  const auto duplicates = [&](int first) {
    return loaded(warehouse.load(make_window(numbered(first, 3)), false)).duplicate;
  };
  EXPECT_EQ(duplicates(1), 3U);
  EXPECT_EQ(db.attempts(), "3") << "the first one is a surprise";
  EXPECT_EQ(duplicates(4), 3U);
  EXPECT_EQ(db.attempts(), "4") << "the second is not";
  EXPECT_EQ(duplicates(31), 0U);
  EXPECT_EQ(duplicates(34), 0U);
  EXPECT_EQ(db.attempts(), "6");
  EXPECT_EQ(duplicates(7), 3U);
  EXPECT_EQ(db.attempts(), "8") << "nothing is expected any more";
  EXPECT_EQ(rows_of(db), "36 36");
}

TEST(Duplicates, the_same_message_twice_in_a_window_is_loaded_once) {
  LoadingDatabase db;
  auto messages = numbered(1, 3);
  messages.push_back({.n = 2});
  const LoadCounts counts = loaded(db.warehouse().load(make_window(messages), false));
  EXPECT_EQ(counts.loaded, 3U);
  EXPECT_EQ(counts.duplicate, 1U);
  EXPECT_EQ(rows_of(db), "3 3");
}

TEST(Duplicates, the_same_message_of_another_pipeline_is_another_message) {
  LoadingDatabase db;
  loaded(db.warehouse().load(make_window(numbered(1, 3)), false));
  db.pipeline.name = "others";
  auto messages = numbered(1, 3);
  messages[0].receive_count = 2;
  EXPECT_EQ(loaded(db.warehouse().load(make_window(messages), false)).loaded, 3U);
}

TEST(Duplicates, a_duplicate_and_a_missing_day_in_one_window_are_both_cured) {
  LoadingDatabase db;
  loaded(db.warehouse().load(make_window(numbered(1, 3)), false));
  auto messages = numbered(1, 5);
  messages.push_back({.n = 9, .sent_ms = kFirstSentMs + 30LL * 86'400'000});
  const LoadCounts counts = loaded(db.warehouse().load(make_window(messages), false));
  EXPECT_EQ(counts.loaded, 3U);
  EXPECT_EQ(counts.duplicate, 3U);
}

TEST(Duplicates, loaders_that_share_messages_neither_deadlock_nor_load_twice) {
  LoadingDatabase db;
  constexpr int kWindows = 8;
  constexpr int kMessages = 500;
  const auto load_all = [&](int offset) {
    auto warehouse = db.warehouse();
    for (int i = 0; i < kWindows; ++i) {
      auto messages = numbered(i * kMessages, kMessages + offset);
      if (offset > 0) std::reverse(messages.begin(), messages.end());
      const LoadResult result = warehouse.load(make_window(messages), false);
      ASSERT_TRUE(std::holds_alternative<Loaded>(result)) << failed(result).failure.message();
    }
  };
  std::thread one(load_all, 0);
  std::thread two(load_all, 100);
  std::thread three(load_all, 7);
  one.join();
  two.join();
  three.join();
  EXPECT_EQ(rows_of(db), "4100 4100");
  EXPECT_EQ(db.value("SELECT sum(loaded) || ' ' || sum(messages) FROM sluice.loaded_window"),
            "4100 " + std::to_string(kWindows * (3 * kMessages + 107)));
}

TEST(Duplicates, a_unique_key_of_the_pipeline_makes_a_duplicate_with_a_ledger_entry_and_no_row) {
  LoadingDatabase db;
  db.run("CREATE UNIQUE INDEX ON public.numbers (name)");
  db.pipeline.tables[0].unique = {"name"};
  std::vector<TestMessage> messages = {
      {.n = 1, .name = "a"}, {.n = 2, .name = "b"}, {.n = 3, .name = "a"}};
  const LoadCounts counts = loaded(db.warehouse().load(make_window(messages), false));
  EXPECT_EQ(counts.loaded, 2U);
  EXPECT_EQ(counts.duplicate, 1U);
  EXPECT_EQ(db.value("SELECT count(*) FROM sluice.loaded_message"), "3");
  EXPECT_EQ(db.value("SELECT string_agg(n::text, ' ' ORDER BY n) FROM public.numbers"), "1 2");
  EXPECT_EQ(db.value("SELECT count(*) FROM sluice.rejected_message"), "0");
}

TEST(Duplicates, a_unique_key_that_the_pipeline_does_not_name_refuses_and_loses_nothing) {
  LoadingDatabase db;
  db.run("CREATE UNIQUE INDEX by_name ON public.numbers (name)");
  std::vector<TestMessage> messages = {{.n = 1, .name = "a"}, {.n = 2, .name = "a"}};
  const LoadCounts counts = loaded(db.warehouse().load(make_window(messages), false));
  EXPECT_EQ(counts.loaded, 1U);
  EXPECT_EQ(counts.refused, 1U);
  EXPECT_EQ(db.value("SELECT sqlstate || detail FROM sluice.rejected_message"), "23505by_name");
}

}  // namespace
}  // namespace sluice
