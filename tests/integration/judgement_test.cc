// SPDX-License-Identifier: Apache-2.0
// Two loaders with the same messages, which judge them differently, at the same time; and a ledger
// that has forgotten what a window record still knows. The first COMMIT decides, once in total.
#include <array>
#include <future>
#include <set>

#include <gtest/gtest.h>

#include "job/warehouse/ledger_days.h"
#include "tests/support/loading.h"

namespace sluice {
namespace {

/// Messages 1 to 4, of which a version of the pipeline rejects some.
std::vector<TestMessage> judged(const std::set<int>& rejected) {
  std::vector<TestMessage> messages = numbered(1, 4);
  for (TestMessage& message : messages) message.rejected = rejected.contains(message.n);
  return messages;
}

std::future<LoadResult> start(PostgresWarehouse& warehouse, const SealedWindow& window) {
  return std::async(std::launch::async, [&] { return warehouse.load(window, false); });
}

class Judgement : public testing::Test {
 protected:
  /// Loads of sluice that wait for a key of the ledger.
  void wait_until_waiting(int count) {
    db_.wait_until(
        "(SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
        "application_name = 'sluice' AND wait_event_type = 'Lock') = " +
        std::to_string(count));
  }
  /// Rows, rejections, ledger.
  std::string contents() {
    return db_.value(
        "SELECT (SELECT string_agg(n::text, '' ORDER BY n) FROM public.numbers) || ' ' ||"
        " (SELECT string_agg(right(message_id::text, 1), '' ORDER BY message_id)"
        "  FROM sluice.rejected_message) || ' ' ||"
        " (SELECT string_agg(right(message_id::text, 1), '' ORDER BY message_id)"
        "  FROM sluice.loaded_message)");
  }
  /// Both at once: the one that begins first comes as far as message 3, which a third loader holds,
  /// while the other begins.
  void load_interleaved(std::vector<TestMessage> first, std::vector<TestMessage> second) {
    std::swap(second.front(), second.back());  // they arrived in another order
    const std::array windows = {make_window(first), make_window(second)};
    std::array loaders = {db_.warehouse(), db_.warehouse()};
    TestSession third = db_.session();
    third.run(
        "BEGIN; INSERT INTO sluice.loaded_message SELECT "
        "timestamptz '2026-11-20 12:00:00.003Z', '00000000-0000-0000-0000-000000000003', "
        "'numbers'");
    auto one = start(loaders[0], windows[0]);
    wait_until_waiting(1);
    auto two = start(loaders[1], windows[1]);
    wait_until_waiting(2);
    third.run("ROLLBACK");
    results_ = {one.get(), two.get()};
  }

  LoadingDatabase db_;
  std::array<LoadResult, 2> results_{NotCommitted{}, NotCommitted{}};
};

TEST_F(Judgement, of_two_versions_the_first_commit_decides_and_they_never_deadlock) {
  // What one rejects the other does not: written apart, rows and rejections would cross.
  load_interleaved(judged({2, 4}), judged({1, 3}));
  EXPECT_EQ(loaded(results_[0]).loaded, 2U);
  EXPECT_EQ(loaded(results_[0]).rejected, 2U);
  EXPECT_EQ(loaded(results_[1]).duplicate, 4U);
  EXPECT_EQ(contents(), "13 24 1234");
  EXPECT_EQ(db_.value("SELECT sum(loaded) || ' ' || sum(rejected) || ' ' || sum(duplicate) FROM "
                      "sluice.loaded_window"),
            "2 2 4");
}

TEST_F(Judgement, the_same_when_both_have_met_a_duplicate_before) {
  TestMessage known{.n = 0};
  loaded(db_.warehouse().load(make_window({known, {.n = 9, .rejected = true}}), false));
  std::vector<TestMessage> first = judged({2, 4});
  std::vector<TestMessage> second = judged({1, 3});
  first.push_back(known);  // unmarked: the COPY of the keys fails, and they are inserted instead
  second.push_back(known);
  load_interleaved(first, second);
  EXPECT_EQ(loaded(results_[0]).loaded, 2U);
  EXPECT_EQ(loaded(results_[0]).duplicate, 1U);
  EXPECT_EQ(loaded(results_[1]).duplicate, 5U);
  EXPECT_EQ(contents(), "013 249 012349");
}

TEST_F(Judgement, a_window_record_outlives_the_ledgers_days) {
  constexpr std::int64_t kDayMs = 86'400'000;
  std::vector<TestMessage> old;
  for (int n = 1; n <= 3; ++n) old.push_back({.n = n, .sent_ms = kFirstSentMs - 60 * kDayMs + n});
  const SealedWindow window = make_window(old);
  auto warehouse = db_.warehouse();
  loaded(warehouse.load(window, false));
  db_.run("UPDATE sluice.loaded_window SET loaded_at = loaded_at - interval '50 days'");
  const Interrupt never;
  Connection owner(db_.conninfo(), never);
  EXPECT_GE(prune_ledger(owner, 15), 1);
  EXPECT_EQ(db_.value("SELECT count(*) FROM sluice.loaded_message"), "0");

  // Its own window is still known ...
  EXPECT_TRUE(std::get<Loaded>(warehouse.load(window, true)).learned);
  EXPECT_TRUE(std::get<Loaded>(warehouse.load(window, false)).learned);
  EXPECT_EQ(db_.value("SELECT count(*) FROM public.numbers"), "3");
  // ... and of another one with its messages nothing is: whoever carries it must not load it.
  EXPECT_TRUE(std::holds_alternative<NotCommitted>(warehouse.load(make_window(old), true)));
  EXPECT_EQ(db_.value("SELECT count(*) FROM public.numbers"), "3");
}

}  // namespace
}  // namespace sluice
