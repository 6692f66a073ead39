// SPDX-License-Identifier: Apache-2.0
// What every Queue promises on bad days and to the second: on the fake, and on SQS's client against
// our sandbox, where faults and time are ours to make.
#include <set>
#include <string>
#include <vector>

#include "tests/contract/queue_orders.h"

namespace sluice {
namespace {

struct Kind {
  const char* name;
  std::unique_ptr<SimulatedWorld> (*make)(const QueueRules& rules);
};

void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

class QueueInTrouble : public QueueOrders<SimulatedWorld>,
                       public testing::WithParamInterface<Kind> {
 protected:
  void SetUp() override { use(kOrders); }
  void TearDown() override { EXPECT_EQ(world().problems(), std::vector<std::string>{}); }
  void use(const QueueRules& rules) { world_ = GetParam().make(rules); }

  void fault(const std::string& on, const SandboxFault& what, int most = 1) {
    world().faults().add({.on = on, .most = most, .fault = what});
  }
};

TEST_P(QueueInTrouble, a_message_keeps_the_time_it_was_sent) {
  world().send({{.body = "x", .sent_ms = 1'700'000'000'123}});
  EXPECT_EQ(receive_for(20).at(0).sent_ms, 1'700'000'000'123);
  world().advance_s(20);
  EXPECT_EQ(receive().at(0).sent_ms, 1'700'000'000'123);
}

TEST_P(QueueInTrouble, receives_at_the_same_time_share_the_messages_out) {
  send(40);
  for (int i = 0; i < 8; ++i) queue().receive(++ticket_, 5, 0, 60);
  std::set<std::string> ids;
  for (const QueueAnswer& answer : answers(8)) {
    for (const Message& message : std::get<Received>(answer).messages) ids.insert(message.id);
  }
  EXPECT_EQ(ids.size(), 40u);
}

TEST_P(QueueInTrouble, a_lease_lasts_to_the_second) {
  send(1);
  EXPECT_EQ(receive_for(20).size(), 1u);
  world().advance_s(19);
  EXPECT_TRUE(receive().empty());
  world().advance_s(1);
  EXPECT_EQ(receive().size(), 1u);
}

TEST_P(QueueInTrouble, hide_counts_from_now) {
  send(1);
  const auto first = receive_for(20);
  world().advance_s(15);
  EXPECT_EQ(done(hide(handles_of(first), 100)), std::vector<bool>{true});
  world().advance_s(99);
  EXPECT_TRUE(receive().empty());
  world().advance_s(1);
  EXPECT_EQ(receive().size(), 1u);
}

TEST_P(QueueInTrouble, a_stale_handle_deletes_nothing) {
  send(1);
  const auto first = receive();
  world().let_leases_end();
  const auto second = receive();
  EXPECT_EQ(done(remove(handles_of(first))), std::vector<bool>{true});
  EXPECT_EQ(world().left(), 1);
  EXPECT_EQ(done(remove(handles_of(second))), std::vector<bool>{true});
  EXPECT_EQ(world().left(), 0);
}

TEST_P(QueueInTrouble, failed_entries_are_told_by_position) {
  send(5);
  const auto got = receive();
  fault("DeleteMessageBatch", {.fail_entries = 2, .sender_fault = false});
  const auto results = remove(handles_of(got));
  EXPECT_EQ(done(results), (std::vector{false, false, true, true, true}));
  EXPECT_FALSE(results[0].sender_fault);
  EXPECT_EQ(world().left(), 2);
}

TEST_P(QueueInTrouble, the_sender_s_fault_is_told) {
  send(1);
  const auto got = receive();
  fault("DeleteMessageBatch", {.fail_entries = 1, .sender_fault = true});
  const auto results = remove(handles_of(got));
  ASSERT_EQ(results.size(), 1u);
  EXPECT_TRUE(results[0].sender_fault);
}

TEST_P(QueueInTrouble, a_lost_answer_is_asked_for_again) {
  send(1);
  const auto got = receive();
  fault("DeleteMessageBatch", {.drop_after = true});
  EXPECT_EQ(done(remove(handles_of(got))), std::vector<bool>{true});
  EXPECT_EQ(world().left(), 0);
}

TEST_P(QueueInTrouble, messages_of_a_lost_receive_come_back_later) {
  send(10);
  fault("ReceiveMessage", {.drop_after = true});
  EXPECT_TRUE(receive().empty());
  world().let_leases_end();
  EXPECT_EQ(receive().size(), 10u);
}

TEST_P(QueueInTrouble, a_short_poll_may_see_nothing_of_what_is_there) {
  send(1);
  world().faults().add({.on = "ReceiveMessage", .short_polls = true, .fault = {.empty = true}});
  EXPECT_TRUE(receive(10, 0).empty());
  EXPECT_EQ(receive(10, 1).size(), 1u);
}

TEST_P(QueueInTrouble, a_message_may_come_twice_at_once) {
  send(1);
  fault("ReceiveMessage", {.twice = true});
  const auto first = receive();
  const auto second = receive();
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].id, first.at(0).id);
}

TEST_P(QueueInTrouble, errors_that_pass_are_not_seen) {
  send(1);
  fault("*", {.status = 500, .code = "InternalFailure"});
  fault("*", {.drop_before = true});
  EXPECT_EQ(receive().size(), 1u);
}

TEST_P(QueueInTrouble, a_denied_call_fails_with_its_fault) {
  constexpr int kAlways = 1000;
  fault("DeleteMessageBatch", {.status = 403, .code = "AccessDenied"}, kAlways);
  send(1);
  queue().remove(++ticket_, handles_of(receive()));
  const auto got = answers(1);
  ASSERT_EQ(got.size(), 1u);
  const auto* failed = std::get_if<CallFailed>(&got[0]);
  ASSERT_NE(failed, nullptr);
  EXPECT_EQ(failed->ticket, ticket_);
  EXPECT_EQ(failed->failure.fault(), Fault::rights);
  EXPECT_EQ(world().left(), 1);
}

TEST_P(QueueInTrouble, too_many_in_flight_is_told_by_a_short_poll_only) {
  use({.name = "orders", .in_flight_limit = 4});
  send(5);
  EXPECT_EQ(receive().size(), 4u);
  queue().receive(++ticket_, 10, 0, 60);
  EXPECT_TRUE(answer<Received>().in_flight_limit);
  queue().receive(++ticket_, 10, 1, 60);
  const Received silent = answer<Received>();
  EXPECT_FALSE(silent.in_flight_limit);
  EXPECT_TRUE(silent.messages.empty());
}

INSTANTIATE_TEST_SUITE_P(Ours, QueueInTrouble,
                         testing::Values(Kind{"fake", make_fake}, Kind{"sandbox", make_sandbox}),
                         [](const auto& kind) { return std::string(kind.param.name); });

}  // namespace
}  // namespace sluice
