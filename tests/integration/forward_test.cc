// SPDX-License-Identifier: Apache-2.0
// "rejections": "dead-letter-queue": recorded with the load, sent after it, marked after that.
#include <future>

#include <gtest/gtest.h>

#include "tests/support/loading.h"

namespace sluice {
namespace {

std::vector<TestMessage> rejected(int first, int count) {
  auto messages = numbered(first, count);
  for (TestMessage& message : messages) {
    message.rejected = true;
    message.body = "body " + std::to_string(message.n);
  }
  return messages;
}

std::uint64_t forwarded(const ForwardResult& result) {
  if (const auto* done = std::get_if<Forwarded>(&result)) return done->messages;
  throw std::runtime_error("forward failed: " + std::get<ForwardFailed>(result).failure.message());
}

ForwardFailed not_forwarded(const ForwardResult& result) {
  if (const auto* failure = std::get_if<ForwardFailed>(&result)) return *failure;
  throw std::runtime_error("it did not fail");
}

class Forward : public testing::Test {
 protected:
  Forward() { db_.pipeline.rejections = Rejections::dead_letter_queue; }

  SealedWindow load(const std::vector<TestMessage>& messages) {
    SealedWindow window = make_window(messages);
    loaded(warehouse_.load(window, false));
    return window;
  }
  /// Last digits of the ids of the rejections that are marked as forwarded.
  std::string marked() {
    return db_.value(
        "SELECT coalesce(string_agg(right(message_id::text, 2), ' ' ORDER BY rejection_id), '')"
        " FROM sluice.rejected_message WHERE forwarded_at IS NOT NULL");
  }
  void make_old() {
    db_.run("UPDATE sluice.rejected_message SET rejected_at = now() - interval '16 minutes'");
  }

  LoadingDatabase db_;
  TestLetters letters_;
  PostgresWarehouse warehouse_{db_.warehouse({}, &letters_)};
};

TEST_F(Forward, what_was_rejected_or_refused_is_sent_as_it_came_and_marked_once) {
  db_.run("ALTER TABLE public.numbers ADD CONSTRAINT not_two CHECK (n <> 2)");
  const SealedWindow window = load({{.n = 1, .rejected = true, .body = std::string("on\0e", 4)},
                                    {.n = 2, .body = "two"},
                                    {.n = 3, .body = "three"}});
  EXPECT_TRUE(letters_.rounds.empty()) << "the load itself sends nothing";
  EXPECT_EQ(marked(), "");
  EXPECT_EQ(forwarded(warehouse_.forward(window)), 2U);
  ASSERT_EQ(letters_.rounds.size(), 1U);
  const DeadLetter one = letters_.rounds[0][0];
  EXPECT_EQ(one.message_id, "00000000-0000-0000-0000-000000000001");
  EXPECT_EQ(one.body, std::string("on\0e", 4));
  EXPECT_EQ(one.sent_ms, kFirstSentMs + 1);
  EXPECT_EQ(one.reason, "not-json");
  EXPECT_EQ(one.field + one.detail + one.sqlstate, "");
  const DeadLetter two = letters_.rounds[0][1];
  EXPECT_EQ(two.body, "two");
  EXPECT_EQ(two.reason, "refused-by-postgres");
  EXPECT_EQ(two.detail, "not_two");
  EXPECT_EQ(two.sqlstate, "23514");
  EXPECT_EQ(marked(), "01 02");

  EXPECT_EQ(forwarded(warehouse_.forward(window)), 0U);
  EXPECT_EQ(letters_.rounds.size(), 1U);
}

TEST_F(Forward, each_is_recorded_before_it_is_sent_and_marked_only_afterwards) {
  const SealedWindow window = load(rejected(1, 2));
  letters_.on_send = [&](const TestLetters::Letters&) {
    EXPECT_EQ(db_.value("SELECT count(*) FROM sluice.rejected_message"), "2");
    EXPECT_EQ(marked(), "");
  };
  EXPECT_EQ(forwarded(warehouse_.forward(window)), 2U);
  EXPECT_EQ(marked(), "01 02");
}

TEST_F(Forward, only_what_was_taken_is_marked_and_the_rest_is_sent_again) {
  const SealedWindow window = load(rejected(1, 4));
  letters_.takes = [](const DeadLetter& letter) { return letter.body != "body 2"; };
  const ForwardFailed failure = not_forwarded(warehouse_.forward(window));
  EXPECT_TRUE(failure.again);
  EXPECT_EQ(failure.failure.fault(), Fault::temporary);
  EXPECT_NE(failure.failure.message().find("1 of 4"), std::string::npos);
  EXPECT_EQ(marked(), "01 03 04");
  letters_.takes = [](const DeadLetter&) { return true; };
  EXPECT_EQ(forwarded(warehouse_.forward(window)), 1U);
  EXPECT_EQ(letters_.sent(), "01 02 03 04 02");
}

TEST_F(Forward, a_failure_of_the_queue_keeps_what_earlier_rounds_marked) {
  const SealedWindow window = load(rejected(1, 40));
  letters_.on_send = [&](const TestLetters::Letters&) {
    if (letters_.rounds.size() == 2) throw Failure(Fault::rights, "no right to send", "grant it");
  };
  const ForwardFailed failure = not_forwarded(warehouse_.forward(window));
  EXPECT_FALSE(failure.again);
  EXPECT_EQ(failure.failure.message(), "no right to send");
  const std::string count =
      "SELECT count(*) FROM sluice.rejected_message WHERE forwarded_at IS NOT NULL";
  EXPECT_EQ(db_.value(count), std::to_string(letters_.rounds[0].size()));
  letters_.on_send = [](const TestLetters::Letters&) {
    throw Failure(Fault::temporary, "away", "later");
  };
  EXPECT_TRUE(not_forwarded(warehouse_.forward(window)).again);
  letters_.on_send = [](const TestLetters::Letters&) {};
  EXPECT_EQ(forwarded(warehouse_.forward(window)), 40 - letters_.rounds[0].size());
}

TEST_F(Forward, a_worker_that_dies_after_sending_leaves_it_to_be_sent_again) {
  const SealedWindow window = load(rejected(1, 2));
  letters_.on_send = [&](const TestLetters::Letters&) {
    db_.terminate("query LIKE 'SELECT rejection_id::text%'");
    db_.wait_until(
        "NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND"
        " application_name = 'sluice')");
  };
  EXPECT_TRUE(not_forwarded(warehouse_.forward(window)).again);
  EXPECT_EQ(marked(), "");
  letters_.on_send = [](const TestLetters::Letters&) {};
  EXPECT_EQ(forwarded(warehouse_.forward(window)), 2U);
  EXPECT_EQ(letters_.sent(), "01 02 01 02");
}

TEST_F(Forward, two_workers_with_the_same_message_send_it_once) {
  const SealedWindow window = load(rejected(1, 3));
  TestLetters others;
  auto other = db_.warehouse({}, &others);
  const SealedWindow shared = make_window(rejected(2, 3));  // 2 and 3 are the same messages
  loaded(other.load(shared, false));
  std::future<ForwardResult> waiting;
  letters_.on_send = [&](const TestLetters::Letters&) {
    waiting = std::async(std::launch::async, [&] { return other.forward(shared); });
    db_.wait_until(
        "(SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND"
        " application_name = 'sluice' AND wait_event_type = 'Lock') = 1");
  };
  EXPECT_EQ(forwarded(warehouse_.forward(window)), 3U);
  EXPECT_EQ(forwarded(waiting.get()), 1U);
  EXPECT_EQ(letters_.sent(), "01 02 03");
  EXPECT_EQ(others.sent(), "04");
}

TEST_F(Forward, a_duplicate_that_another_worker_rejected_and_never_forwarded_is_sent_by_us) {
  load(rejected(1, 2));
  EXPECT_EQ(forwarded(warehouse_.forward(load(rejected(1, 2)))), 2U);
  EXPECT_EQ(marked(), "01 02");
}

TEST_F(Forward, a_body_that_cannot_be_opened_names_its_key_and_holds_up_no_other) {
  const SealedWindow window = load(rejected(1, 70));
  db_.run("UPDATE sluice.rejected_message SET key_id = 'k-lost' WHERE rejection_id <= 31");
  const ForwardFailed failure = not_forwarded(warehouse_.forward(window));
  EXPECT_FALSE(failure.again);
  EXPECT_EQ(failure.failure.fault(), Fault::configuration);
  EXPECT_NE(failure.failure.message().find("31"), std::string::npos);
  EXPECT_NE(failure.failure.message().find("k-lost"), std::string::npos);
  EXPECT_NE(failure.failure.hint().find("keyring"), std::string::npos);
  const std::string count =
      "SELECT count(*) FROM sluice.rejected_message WHERE forwarded_at IS NULL";
  EXPECT_EQ(db_.value(count), "31");
  db_.run("UPDATE sluice.rejected_message SET key_id = 'k1'");
  EXPECT_EQ(forwarded(warehouse_.forward(window)), 31U);
}

TEST_F(Forward, what_was_rejected_before_the_mode_was_switched_on_stays_in_the_table) {
  db_.run("ALTER TABLE public.numbers ADD CHECK (n <> 3)");
  db_.pipeline.rejections = Rejections::table;
  std::vector<TestMessage> messages = rejected(1, 2);
  messages.push_back({.n = 3, .body = "three"});  // staged in one mode, loaded in the other
  load(messages);
  db_.pipeline.rejections = Rejections::dead_letter_queue;
  EXPECT_EQ(forwarded(warehouse_.forward(load(messages))), 0U);
  make_old();
  EXPECT_EQ(forwarded(warehouse_.forward_stale()), 0U);
  EXPECT_EQ(db_.value("SELECT count(*) FROM sluice.rejected_message WHERE NOT to_forward"), "3");
  EXPECT_EQ(db_.value("SELECT encode(sealed_body, 'escape') = 'sealed three' FROM"
                      " sluice.rejected_message WHERE sqlstate IS NOT NULL"),
            "f")
      << "with sqlstate and without to_forward it is the masked row";
}

TEST_F(Forward, what_was_staged_without_a_body_and_is_refused_stays_in_the_table) {
  db_.run("ALTER TABLE public.numbers ADD CHECK (n <> 2)");
  EXPECT_EQ(forwarded(warehouse_.forward(load(numbered(1, 3)))), 0U);
  EXPECT_EQ(db_.rows("SELECT to_forward, sqlstate FROM sluice.rejected_message"),
            (std::vector<Row>{{"f", "23514"}}));
}

TEST_F(Forward, what_replay_has_claimed_is_not_sent) {
  const SealedWindow window = load(rejected(1, 2));
  db_.run("UPDATE sluice.rejected_message SET replayed_at = now() WHERE rejection_id = 1");
  EXPECT_EQ(forwarded(warehouse_.forward(window)), 1U);
  EXPECT_EQ(letters_.sent(), "02");
}

TEST_F(Forward, a_later_run_sends_what_nobody_holds_any_more) {
  load(rejected(1, 2));
  EXPECT_EQ(forwarded(warehouse_.forward_stale()), 0U) << "its worker may be about to";
  make_old();
  const std::string name = db_.pipeline.name;
  db_.pipeline.name = "another";
  EXPECT_EQ(forwarded(warehouse_.forward_stale()), 0U);
  db_.pipeline.name = name;
  EXPECT_EQ(forwarded(warehouse_.forward_stale()), 2U);
  EXPECT_EQ(forwarded(warehouse_.forward_stale()), 0U);
  EXPECT_EQ(letters_.sent(), "01 02");
}

TEST_F(Forward, in_the_other_modes_nothing_is_sent) {
  const SealedWindow window = load(rejected(1, 2));
  make_old();
  for (const Rejections mode : {Rejections::table, Rejections::leave}) {
    db_.pipeline.rejections = mode;
    EXPECT_EQ(forwarded(warehouse_.forward(window)), 0U);
    EXPECT_EQ(forwarded(warehouse_.forward_stale()), 0U);
  }
  EXPECT_TRUE(letters_.rounds.empty());
}

TEST_F(Forward, great_bodies_go_in_rounds_that_fit_into_memory) {
  constexpr std::size_t kBody = 1 << 20;
  std::vector<TestMessage> messages = rejected(1, 200);
  for (TestMessage& message : messages) message.body.resize(kBody, 'x');
  const SealedWindow window = load(messages);
  std::size_t most = 0;
  letters_.on_send = [&](const TestLetters::Letters& letters) {
    most = std::max(most, letters.size() * kBody);
    letters_.rounds.back().resize(1);
  };
  EXPECT_EQ(forwarded(warehouse_.forward(window)), 200U);
  EXPECT_LE(most, 32U << 20) << "as much again lies there sealed";
  EXPECT_GE(letters_.rounds.size(), 200 * kBody / most);
}

TEST_F(Forward, an_interrupt_reaches_the_sending_and_nothing_is_sent_afterwards) {
  const SealedWindow window = load(rejected(1, 40));
  letters_.on_send = [&](const TestLetters::Letters&) { warehouse_.interrupt(); };
  const ForwardFailed failure = not_forwarded(warehouse_.forward(window));
  EXPECT_TRUE(failure.again);
  EXPECT_EQ(letters_.interrupts, 1);
  EXPECT_EQ(letters_.rounds.size(), 1U);
  EXPECT_TRUE(not_forwarded(warehouse_.forward(window)).again);
  EXPECT_EQ(letters_.rounds.size(), 1U);
  EXPECT_EQ(marked(), "") << "letters on their way are sent again";
}

TEST_F(Forward, an_interrupt_ends_the_wait_for_another_worker) {
  const SealedWindow window = load(rejected(1, 1));
  TestSession other = db_.session();
  other.run("BEGIN; SELECT FROM sluice.rejected_message FOR UPDATE");
  auto waiting = std::async(std::launch::async, [&] { return warehouse_.forward(window); });
  db_.wait_until(
      "(SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND"
      " application_name = 'sluice' AND wait_event_type = 'Lock') = 1");
  warehouse_.interrupt();
  EXPECT_TRUE(not_forwarded(waiting.get()).again);
  EXPECT_TRUE(letters_.rounds.empty());
}

TEST_F(Forward, a_wait_for_another_worker_has_a_limit_and_is_temporary) {
  const SealedWindow window = load(rejected(1, 1));
  TestSession other = db_.session();
  other.run("BEGIN; SELECT FROM sluice.rejected_message FOR UPDATE");
  auto impatient = db_.warehouse({.lock_ms = 50}, &letters_);
  const ForwardFailed failure = not_forwarded(impatient.forward(window));
  EXPECT_TRUE(failure.again);
  EXPECT_NE(failure.failure.message().find("55P03"), std::string::npos);
}

TEST_F(Forward, a_send_may_take_longer_than_a_load_may_be_idle) {
  const SealedWindow window = load(rejected(1, 1));
  auto strict = db_.warehouse({.idle_ms = 1}, &letters_);
  letters_.on_send = [&](const TestLetters::Letters&) { db_.run("SELECT pg_sleep(0.05)"); };
  EXPECT_EQ(forwarded(strict.forward(window)), 1U);
  db_.run("UPDATE sluice.rejected_message SET forwarded_at = NULL");
  auto stricter = db_.warehouse({.send_ms = 1}, &letters_);
  letters_.on_send = [&](const TestLetters::Letters&) {
    db_.wait_until(
        "NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND"
        " application_name = 'sluice' AND state LIKE 'idle in transaction%')");
  };
  EXPECT_TRUE(not_forwarded(stricter.forward(window)).again);
}

}  // namespace
}  // namespace sluice
