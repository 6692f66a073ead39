// SPDX-License-Identifier: Apache-2.0
// "rejections": "leave": what is rejected stays in the queue, and Postgres hears nothing of it.
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/loading.h"

namespace sluice {
namespace {

using Positions = std::vector<std::uint32_t>;

Positions left(const LoadResult& result) {
  loaded(result);
  return std::get<Loaded>(result).left;
}

class Leaving : public testing::Test {
 protected:
  Leaving() { db_.pipeline.rejections = Rejections::leave; }

  std::string numbers_of(const std::string& column, const std::string& table) {
    return db_.value("SELECT coalesce(string_agg(n::text, ' ' ORDER BY n), '') FROM (SELECT " +
                     column + " AS n FROM " + table + ") AS t");
  }
  std::string rows() { return numbers_of("n", "public.numbers"); }
  std::string ledger() {
    return numbers_of("right(message_id::text, 4)::int", "sluice.loaded_message");
  }
  void expect_no_rejections() {
    EXPECT_EQ(db_.value("SELECT count(*) FROM sluice.rejected_message"), "0");
  }
  std::string windows() {
    return db_.value(
        "SELECT string_agg(loaded || ' ' || duplicate || ' ' || rejected, ', ' ORDER BY loaded_at)"
        " FROM sluice.loaded_window");
  }
  void refuse(const std::string& numbers) {
    db_.run("ALTER TABLE public.numbers ADD CHECK (n NOT IN (" + numbers + "))");
  }

  LoadingDatabase db_;
  PostgresWarehouse warehouse_{db_.warehouse()};
};

TEST_F(Leaving, a_rejected_message_stays_in_the_queue_and_out_of_postgres) {
  const std::vector<TestMessage> messages = {
      {.n = 4, .rejected = true}, {.n = 1}, {.n = 2, .rejected = true}, {.n = 3}};
  const LoadResult result = warehouse_.load(make_window(messages), false);
  EXPECT_EQ(left(result), (Positions{0, 2}));
  EXPECT_EQ(loaded(result).loaded, 2U);
  EXPECT_EQ(loaded(result).rejected, 2U);
  EXPECT_EQ(loaded(result).refused, 0U);
  EXPECT_FALSE(std::get<Loaded>(result).learned);
  EXPECT_EQ(rows(), "1 3");
  EXPECT_EQ(ledger(), "1 3");
  EXPECT_EQ(windows(), "2 0 2");
  expect_no_rejections();
}

TEST_F(Leaving, a_message_that_postgres_refuses_stays_too) {
  refuse("2, 5");
  const LoadResult result = warehouse_.load(make_window(numbered(1, 6)), false);
  EXPECT_EQ(left(result), (Positions{1, 4}));
  EXPECT_EQ(loaded(result).loaded, 4U);
  EXPECT_EQ(loaded(result).rejected, 2U);
  EXPECT_EQ(loaded(result).refused, 2U);
  EXPECT_EQ(loaded(result).rows, (std::vector<std::uint64_t>{4, 0}));
  EXPECT_EQ(rows(), "1 3 4 6");
  EXPECT_EQ(ledger(), "1 3 4 6");
  EXPECT_EQ(windows(), "4 0 2");
  EXPECT_EQ(db_.value("SELECT row_count FROM sluice.loaded_window"), "4");
  expect_no_rejections();
}

TEST_F(Leaving, what_stayed_comes_again_and_is_never_taken_for_a_duplicate) {
  refuse("2");
  std::vector<TestMessage> messages = {{.n = 1}, {.n = 2}, {.n = 3, .rejected = true}};
  loaded(warehouse_.load(make_window(messages), false));
  messages.erase(messages.begin());
  for (std::uint32_t delivery : {2U, 3U}) {
    for (TestMessage& message : messages) message.receive_count = delivery;
    EXPECT_EQ(left(warehouse_.load(make_window(messages), false)), (Positions{0, 1}));
  }
  EXPECT_EQ(ledger(), "1");
  EXPECT_EQ(windows(), "1 0 2, 0 0 2, 0 0 2");
}

TEST_F(Leaving, what_an_earlier_version_rejected_or_loaded_is_a_duplicate_and_goes) {
  db_.pipeline.rejections = Rejections::table;
  loaded(warehouse_.load(make_window({{.n = 1, .rejected = true}, {.n = 2}, {.n = 3}}), false));
  db_.pipeline.rejections = Rejections::leave;
  db_.run("ALTER TABLE public.numbers ADD CHECK (n NOT IN (3, 5)) NOT VALID");
  // None is marked as received before: they are looked up all the same.
  const LoadResult result = warehouse_.load(make_window({{.n = 1, .rejected = true},
                                                         {.n = 2, .rejected = true},
                                                         {.n = 3},
                                                         {.n = 4, .rejected = true},
                                                         {.n = 5},
                                                         {.n = 6}}),
                                            false);
  EXPECT_EQ(left(result), (Positions{3, 4}));
  EXPECT_EQ(loaded(result).duplicate, 3U);
  EXPECT_EQ(loaded(result).loaded, 1U);
  EXPECT_EQ(loaded(result).refused, 1U);
  EXPECT_EQ(rows(), "2 3 6");
  EXPECT_EQ(ledger(), "1 2 3 6");
}

TEST_F(Leaving, duplicates_that_are_not_marked_are_found_beside_what_stays) {
  refuse("7");
  loaded(warehouse_.load(make_window(numbered(1, 3)), false));
  auto messages = numbered(1, 8);
  messages[5].rejected = true;
  const LoadResult result = warehouse_.load(make_window(messages), false);
  EXPECT_EQ(left(result), (Positions{5, 6}));
  EXPECT_EQ(loaded(result).duplicate, 3U);
  EXPECT_EQ(loaded(result).loaded, 3U);
  EXPECT_EQ(rows(), "1 2 3 4 5 8");
}

TEST_F(Leaving, a_day_that_the_ledger_lacks_is_added_beside_what_stays) {
  const std::int64_t later = kFirstSentMs + 30LL * 86'400'000;
  const LoadResult result =
      warehouse_.load(make_window({{.n = 1, .sent_ms = later}, {.n = 2, .rejected = true}}), false);
  EXPECT_EQ(left(result), Positions{1});
  EXPECT_EQ(ledger(), "1");
}

TEST_F(Leaving, a_window_of_which_everything_stays_is_recorded) {
  const LoadResult result = warehouse_.load(make_window({{.n = 1, .rejected = true}}), false);
  EXPECT_EQ(left(result), Positions{0});
  EXPECT_EQ(windows(), "0 0 1");
  EXPECT_EQ(ledger(), "");
}

TEST_F(Leaving, a_commit_that_is_learned_leaves_the_same_messages) {
  refuse("2");
  loaded(warehouse_.load(make_window(numbered(5, 1)), false));
  auto messages = numbered(1, 5);
  messages[3].rejected = true;
  const SealedWindow window = make_window(messages);
  EXPECT_EQ(left(warehouse_.load(window, false)), (Positions{1, 3}));
  // Also by a run whose pipeline file no longer says "leave": deleting them would lose them.
  for (const Rejections now : {Rejections::leave, Rejections::table}) {
    db_.pipeline.rejections = now;
    for (const bool only_if_committed : {false, true}) {
      const LoadResult again = warehouse_.load(window, only_if_committed);
      EXPECT_TRUE(std::get<Loaded>(again).learned);
      EXPECT_EQ(left(again), (Positions{1, 3}));
      EXPECT_EQ(loaded(again).rejected, 2U);
      EXPECT_EQ(loaded(again).duplicate, 1U);
    }
  }
}

TEST_F(Leaving, a_learned_commit_does_not_leave_what_another_has_loaded_since) {
  const SealedWindow window = make_window({{.n = 1, .rejected = true}, {.n = 2, .rejected = true}});
  loaded(warehouse_.load(window, false));
  loaded(warehouse_.load(make_window(numbered(2, 1)), false));
  EXPECT_EQ(left(warehouse_.load(window, false)), Positions{0});
}

TEST_F(Leaving, in_the_other_modes_nothing_stays_not_even_when_learned) {
  db_.pipeline.rejections = Rejections::table;
  refuse("2");
  const SealedWindow window = make_window({{.n = 1, .rejected = true}, {.n = 2}, {.n = 3}});
  EXPECT_EQ(left(warehouse_.load(window, false)), Positions{});
  EXPECT_EQ(left(warehouse_.load(window, false)), Positions{});
  EXPECT_EQ(ledger(), "1 2 3");
}

TEST_F(Leaving, a_fifo_group_is_not_passed_and_other_groups_go_on) {
  refuse("5");
  // In the order staged, which is not that of the sequence.
  const std::vector<TestMessage> messages = {
      {.n = 3, .sequence = "100", .group = "a"},
      {.n = 2, .rejected = true, .sequence = "99", .group = "a"},
      {.n = 1, .sequence = "98", .group = "a"},
      {.n = 4, .sequence = "101", .group = "b"},
      {.n = 6, .sequence = "103", .group = "b"},
      {.n = 5, .sequence = "102", .group = "b"},
      {.n = 7, .sequence = "104", .group = "c"}};
  const LoadResult result = warehouse_.load(make_window(messages), false);
  EXPECT_EQ(left(result), (Positions{0, 1, 4, 5}));
  EXPECT_EQ(loaded(result).rejected, 4U);
  EXPECT_EQ(loaded(result).refused, 1U);
  EXPECT_EQ(rows(), "1 4 7");
  EXPECT_EQ(ledger(), "1 4 7");
}

TEST_F(Leaving, what_follows_in_a_fifo_group_goes_when_the_ledger_holds_it) {
  loaded(warehouse_.load(make_window({{.n = 3, .sequence = "3", .group = "a"}}), false));
  const LoadResult result =
      warehouse_.load(make_window({{.n = 2, .rejected = true, .sequence = "2", .group = "a"},
                                   {.n = 3, .sequence = "3", .group = "a"},
                                   {.n = 4, .sequence = "4", .group = "a"}}),
                      false);
  EXPECT_EQ(left(result), (Positions{0, 2}));
  EXPECT_EQ(loaded(result).duplicate, 1U);
  EXPECT_EQ(ledger(), "3");
}

TEST_F(Leaving, a_duplicate_stops_no_fifo_group) {
  db_.pipeline.rejections = Rejections::table;
  const TestMessage bad{.n = 1, .rejected = true, .sequence = "1", .group = "a"};
  loaded(warehouse_.load(make_window({bad}), false));
  db_.pipeline.rejections = Rejections::leave;
  const LoadResult result =
      warehouse_.load(make_window({bad, {.n = 2, .sequence = "2", .group = "a"}}), false);
  EXPECT_EQ(left(result), Positions{});
  EXPECT_EQ(rows(), "2");
}

TEST_F(Leaving, a_group_without_a_sequence_holds_nothing_back) {
  const LoadResult result = warehouse_.load(
      make_window({{.n = 1, .rejected = true, .group = "a"}, {.n = 2, .group = "a"}}), false);
  EXPECT_EQ(left(result), Positions{0});
  EXPECT_EQ(rows(), "2");
}

TEST_F(Leaving, what_is_refused_because_others_stay_is_found_in_a_further_round) {
  refuse("1");
  db_.run(
      "CREATE FUNCTION public.after_two() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
      " 'BEGIN IF NEW.n = 3 AND NOT EXISTS (SELECT FROM public.numbers WHERE n = 2) THEN"
      " RAISE EXCEPTION USING MESSAGE = ''no two''; END IF; RETURN NEW; END';"
      "CREATE TRIGGER after_two BEFORE INSERT ON public.numbers FOR EACH ROW EXECUTE FUNCTION "
      "public.after_two()");
  const std::vector<TestMessage> messages = {{.n = 1, .sequence = "1", .group = "a"},
                                             {.n = 2, .sequence = "2", .group = "a"},
                                             {.n = 3, .sequence = "3", .group = "b"},
                                             {.n = 4, .sequence = "4", .group = "b"},
                                             {.n = 5, .sequence = "5", .group = "c"}};
  const LoadResult result = warehouse_.load(make_window(messages), false);
  EXPECT_EQ(left(result), (Positions{0, 1, 2, 3}));
  EXPECT_EQ(loaded(result).refused, 2U);
  EXPECT_EQ(rows(), "5");
}

TEST_F(Leaving, loaders_that_share_messages_load_each_once_and_record_no_rejection) {
  refuse("100, 101, 350");
  constexpr int kMessages = 400;
  const auto load_all = [&](int offset) {
    auto warehouse = db_.warehouse();
    for (int i = 0; i < 4; ++i) {
      auto messages = numbered(offset, kMessages);
      for (TestMessage& message : messages) message.rejected = message.n % 50 == 7;
      if (offset > 0) std::reverse(messages.begin(), messages.end());
      const SealedWindow window = make_window(messages);
      const LoadResult result = warehouse.load(window, false);
      ASSERT_TRUE(std::holds_alternative<Loaded>(result)) << failed(result).failure.message();
      EXPECT_EQ(loaded(result).rejected, left(result).size());
      for (const std::uint32_t position : left(result)) {
        const int n = messages[position].n;
        EXPECT_TRUE(n % 50 == 7 || n == 100 || n == 101 || n == 350) << n;
      }
    }
  };
  std::thread one(load_all, 0);
  std::thread two(load_all, 90);
  one.join();
  two.join();
  EXPECT_EQ(db_.value("SELECT count(*) || ' ' || count(DISTINCT n) FROM public.numbers"),
            "477 477");  // of 490: ten rejected, three refused
  EXPECT_EQ(db_.value("SELECT count(*) FROM sluice.loaded_message"), "477");
  EXPECT_EQ(db_.value("SELECT sum(loaded) FROM sluice.loaded_window"), "477");
  expect_no_rejections();
}

}  // namespace
}  // namespace sluice
