// SPDX-License-Identifier: Apache-2.0
// What every Queue promises: one suite, run on the fake, and on SQS's client against our sandbox
// and against servers that others wrote. So the heart may be tested on the fake, and the sandbox is
// not believed on its own word.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/contract/deviations.h"
#include "tests/contract/queue_orders.h"
#include "tests/support/requests_sent.h"

namespace sluice {
namespace {

struct Kind {
  const char* name;
  std::unique_ptr<QueueWorld> (*make)(const QueueRules& rules);
};

void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

class QueueContract : public QueueOrders<QueueWorld>, public testing::WithParamInterface<Kind> {
 protected:
  void SetUp() override {
    use(kOrders);
    // Only ElasticMQ and moto can be missing, where their registry cannot be reached; with CI=true
    // that has thrown (find_foreign_server).
    if (!world_) {
      GTEST_SKIP() << GetParam().name << " is not there; the log of its start says why";
    }
    watch_.begin(GetParam().name);
  }
  void TearDown() override {
    if (world_) {
      EXPECT_EQ(world().problems(), std::vector<std::string>{});
    }
    watch_.end();
  }

  void use(const QueueRules& rules) { world_ = GetParam().make(rules); }

 private:
  DeviationWatch watch_;
};

TEST_P(QueueContract, receive_gives_at_most_what_was_asked) {
  send(12);
  EXPECT_EQ(receive(3).size(), 3u);
  EXPECT_EQ(receive(10).size(), 9u);
}

TEST_P(QueueContract, a_delivery_carries_what_was_sent) {
  // Characters that JSON escapes, that it may escape, and that take two UTF-16 units or the last
  // place of a plane.
  const std::string body =
      "{\"text\": \"zw\xc3\xb6lf \xf0\x9f\x98\x80 \\ / \t\r\n \x7f \xe2\x80\xa8 \xef\xbf\xbd "
      "\xf4\x8f\xbf\xbd\"}";
  world().send(
      {{.body = body,
        .attributes = {{"bytes", "Binary", "AAEC/w=="}, {"source", "String", "w\xc3\xa9"}}}});
  const auto got = receive();
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].body, body);
  EXPECT_EQ(got[0].receive_count, 1u);
  EXPECT_EQ(got[0].id.size(), 36u);
  EXPECT_GT(got[0].sent_ms, 1'700'000'000'000);
  EXPECT_FALSE(got[0].bad_encoding);
  EXPECT_EQ(got[0].group, "");
  ASSERT_EQ(got[0].attributes.size(), 2u);
  EXPECT_EQ(got[0].attributes[0].value, "AAEC/w==");
  EXPECT_EQ(got[0].attributes[1].type, "String");
  EXPECT_EQ(got[0].attributes[1].value, "w\xc3\xa9");
}

TEST_P(QueueContract, a_body_may_have_a_mebibyte) {
  const std::string body(1 << 20, 'x');
  world().send({{.body = body}});
  const auto got = receive();
  ASSERT_EQ(got.size(), 1u);
  EXPECT_TRUE(got[0].body == body);
}

TEST_P(QueueContract, an_empty_queue_answers_with_no_messages) {
  EXPECT_TRUE(receive(10, 0).empty());
  EXPECT_TRUE(receive(10, 1).empty());
}

TEST_P(QueueContract, a_waiting_receive_gets_what_becomes_visible) {
  send(1);
  const auto first = receive_for(60, 1);
  queue().receive(++ticket_, 10, 20, 60);
  std::vector<QueueAnswer> got;
  queue().wait(0, got);
  ASSERT_TRUE(got.empty());
  queue().hide(++ticket_, handles_of(first), 0);
  got = answers(2);
  ASSERT_EQ(got.size(), 2u);
  const bool hidden_first = std::holds_alternative<BatchAnswered>(got[0]);
  EXPECT_EQ(std::get<Received>(got[hidden_first ? 1 : 0]).messages.size(), 1u);
}

TEST_P(QueueContract, a_delayed_message_is_counted_and_not_given) {
  world().send({{.body = "later", .delay_s = 900}});
  EXPECT_TRUE(receive().empty());
  EXPECT_EQ(count().delayed, 1);
}

TEST_P(QueueContract, a_receive_hides_for_as_long_as_it_asks_whatever_the_queue_says) {
  send(1);
  const auto first = receive();
  ASSERT_EQ(first.size(), 1u);
  world().let_leases_end();
  const auto second = receive_for(600);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].id, first[0].id);
  EXPECT_EQ(second[0].sent_ms, first[0].sent_ms);
  EXPECT_EQ(second[0].receive_count, 2u);
  EXPECT_NE(second[0].receipt, first[0].receipt);
  EXPECT_TRUE(receive().empty());
}

TEST_P(QueueContract, hide_keeps_a_message_hidden_beyond_its_lease) {
  send(1);
  const auto first = receive();
  EXPECT_EQ(done(hide(handles_of(first), 600)), std::vector<bool>{true});
  world().let_leases_end();
  EXPECT_TRUE(receive().empty());
}

TEST_P(QueueContract, hide_for_no_time_gives_a_message_back) {
  send(2);
  const auto first = receive_for(600);
  EXPECT_EQ(done(hide(handles_of(first), 0)), (std::vector{true, true}));
  EXPECT_EQ(receive().size(), 2u);
}

TEST_P(QueueContract, a_message_no_longer_in_flight_is_not_hidden) {
  send(2);
  const auto got = receive_for(600);
  remove({got.at(1).receipt});
  const auto results = hide({got[0].receipt, got[1].receipt}, 60);
  EXPECT_EQ(done(results), (std::vector{true, false}));
  EXPECT_TRUE(results.at(1).sender_fault);
}

TEST_P(QueueContract, remove_deletes) {
  send(10);
  const auto got = receive();
  EXPECT_EQ(done(remove(handles_of(got))), std::vector<bool>(10, true));
  EXPECT_EQ(world().left(), 0);
  world().let_leases_end();
  EXPECT_TRUE(receive().empty());
}

TEST_P(QueueContract, a_message_whose_lease_ended_can_be_deleted_until_it_is_given_again) {
  send(1);
  const auto got = receive();
  world().let_leases_end();
  EXPECT_EQ(done(remove(handles_of(got))), std::vector<bool>{true});
  EXPECT_EQ(world().left(), 0);
}

TEST_P(QueueContract, a_stale_handle_is_accepted) {
  send(1);
  const auto first = receive();
  world().let_leases_end();
  const auto second = receive_for(600);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(done(remove(handles_of(first))), std::vector<bool>{true});
}

TEST_P(QueueContract, the_newest_handle_deletes) {
  send(1);
  receive();
  world().let_leases_end();
  EXPECT_EQ(done(remove(handles_of(receive_for(600)))), std::vector<bool>{true});
  EXPECT_EQ(world().left(), 0);
}

TEST_P(QueueContract, a_handle_nobody_made_is_refused_in_its_place) {
  send(2);
  const auto got = receive_for(600);
  ASSERT_EQ(got.size(), 2u);
  const auto results = remove({got[0].receipt, "made-up", got[1].receipt});
  EXPECT_EQ(done(results), (std::vector{true, false, true}));
  EXPECT_TRUE(results.at(1).sender_fault);
  EXPECT_EQ(results.at(1).code, "ReceiptHandleIsInvalid");
}

TEST_P(QueueContract, count_tells_visible_and_in_flight) {
  send(7);
  receive_for(600, 3);
  const QueueCounts counts = count();
  EXPECT_EQ(counts.visible, 4);
  EXPECT_EQ(counts.in_flight, 3);
  EXPECT_EQ(counts.delayed, 0);
}

TEST_P(QueueContract, each_order_is_answered_exactly_once) {
  send(40);
  std::set<Ticket> asked;
  for (int i = 0; i < 8; ++i) {
    asked.insert(++ticket_);
    queue().receive(ticket_, 5, 0, 600);
  }
  asked.insert(++ticket_);
  queue().count(ticket_);
  std::multiset<Ticket> answered;
  for (const QueueAnswer& answer : answers(asked.size())) {
    answered.insert(std::visit([](const auto& a) { return a.ticket; }, answer));
  }
  EXPECT_EQ(answered, std::multiset<Ticket>(asked.begin(), asked.end()));
}

TEST_P(QueueContract, wait_adds_to_the_answers_that_are_there) {
  std::vector<QueueAnswer> got = {Counted{.ticket = 1000, .counts = {}}};
  queue().count(++ticket_);
  for (int turn = 0; turn < 30 && got.size() < 2; ++turn) queue().wait(1000, got);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(std::get<Counted>(got[0]).ticket, 1000u);
}

TEST_P(QueueContract, requests_are_counted_under_the_names_of_aws) {
  send(1);
  const auto got = receive_for(600);
  hide(handles_of(got), 60);
  remove(handles_of(got));
  remove(handles_of(got));
  count();
  const std::map<std::string, std::uint64_t> expected = {{"ReceiveMessage", 1},
                                                         {"ChangeMessageVisibilityBatch", 1},
                                                         {"DeleteMessageBatch", 2},
                                                         {"GetQueueAttributes", 1}};
  EXPECT_EQ(sent(queue().requests()), expected);
}

TEST_P(QueueContract, abandon_drops_what_is_under_way) {
  queue().receive(++ticket_, 10, 20, 60);
  std::vector<QueueAnswer> got;
  queue().wait(0, got);
  queue().abandon();
  EXPECT_EQ(count().visible, 0);
}

TEST_P(QueueContract, nothing_is_received_after_a_stop) {
  send(1);
  queue().stop_receiving();
  queue().receive(++ticket_, 10, 0, 60);
  EXPECT_TRUE(std::holds_alternative<CallFailed>(answers(1).front()));
  EXPECT_EQ(count().visible, 1);
}

TEST_P(QueueContract, wake_ends_a_wait) {
  constexpr std::int64_t kLongWaitMs = 60'000;
  queue().receive(++ticket_, 10, 20, 60);
  queue().wake();
  std::vector<QueueAnswer> got;
  queue().wait(kLongWaitMs, got);
  EXPECT_TRUE(got.empty());
  queue().abandon();
}

TEST_P(QueueContract, a_fifo_queue_gives_one_group_in_order_and_blocks_it) {
  use(kOrderedOrders);
  send_ordered(5, "a");
  const auto first = receive_for(600, 3);
  EXPECT_EQ(bodies_of(first), (std::vector<std::string>{"0", "1", "2"}));
  ASSERT_EQ(first.size(), 3u);
  EXPECT_EQ(first[0].group, "a");
  EXPECT_TRUE(receive().empty());
  remove(handles_of(first));
  EXPECT_EQ(bodies_of(receive()), (std::vector<std::string>{"3", "4"}));
}

TEST_P(QueueContract, fifo_sequence_numbers_grow_in_the_order_sent) {
  use(kOrderedOrders);
  send_ordered(10, "a");
  // Numbers of up to 128 bits.
  const auto as_number = [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  };
  std::vector<std::string> sequences;
  for (const Message& message : receive()) sequences.push_back(message.sequence);
  EXPECT_EQ(sequences.size(), 10u);
  EXPECT_TRUE(std::ranges::is_sorted(sequences, as_number));
}

TEST_P(QueueContract, a_blocked_fifo_group_does_not_block_another) {
  use(kOrderedOrders);
  send_ordered(2, "a");
  const auto first = receive_for(600);
  send_ordered(2, "b");
  ASSERT_EQ(first.size(), 2u);
  const auto second = receive_for(600);
  ASSERT_EQ(second.size(), 2u);
  EXPECT_EQ(second[0].group, "b");
}

TEST_P(QueueContract, fifo_messages_given_back_come_again_in_their_order) {
  use(kOrderedOrders);
  send_ordered(4, "a");
  const auto first = receive_for(600);
  ASSERT_EQ(first.size(), 4u);
  hide({first[2].receipt, first[0].receipt, first[3].receipt, first[1].receipt}, 0);
  EXPECT_EQ(bodies_of(receive()), bodies_of(first));
}

TEST_P(QueueContract, a_fifo_delete_after_its_time_fails) {
  use(kOrderedOrders);
  send_ordered(1, "a");
  const auto got = receive();
  world().let_leases_end();
  const auto results = remove(handles_of(got));
  ASSERT_EQ(results.size(), 1u);
  EXPECT_FALSE(results[0].done);
  EXPECT_TRUE(results[0].sender_fault);
  EXPECT_EQ(world().left(), 1);
}

INSTANTIATE_TEST_SUITE_P(
    Ours, QueueContract,
    testing::Values(
        Kind{"fake",
             [](const QueueRules& r) -> std::unique_ptr<QueueWorld> { return make_fake(r); }},
        Kind{"sandbox",
             [](const QueueRules& r) -> std::unique_ptr<QueueWorld> { return make_sandbox(r); }}),
    [](const auto& kind) { return std::string(kind.param.name); });
INSTANTIATE_TEST_SUITE_P(
    Foreign, QueueContract,
    testing::Values(Kind{"elasticmq",
                         [](const QueueRules& r) { return make_foreign("elasticmq", r); }},
                    Kind{"moto", [](const QueueRules& r) { return make_foreign("moto", r); }}),
    [](const auto& kind) { return std::string(kind.param.name); });

}  // namespace
}  // namespace sluice
