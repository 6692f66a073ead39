// SPDX-License-Identifier: Apache-2.0
// The heart: keeping messages hidden while they are in hand, and giving them back.
#include "tests/unit/drain_world.h"

namespace sluice {
namespace {

TEST_F(DrainTest, leases_are_extended_at_half_their_time_whatever_the_database_does) {
  limits_.visibility_s = 60;
  start();
  deliver(messages(1, 10));
  ASSERT_EQ(take<LoadOrder>().size(), 1U);
  pass(29'000);
  EXPECT_TRUE(take<HideOrder>().empty());
  pass(1'000);
  const auto first = take<HideOrder>();
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].handles.size(), 10U);
  EXPECT_EQ(first[0].visibility_s, 60);
  answer(first[0].ticket, 10);
  pass(30'000);
  EXPECT_EQ(take<HideOrder>().size(), 1U);
}

TEST_F(DrainTest, receiving_stops_while_extensions_are_not_answered_and_goes_on_when_they_are) {
  limits_.visibility_s = 60;
  start();
  auto polls = take<ReceiveOrder>();
  feed(Received{polls[0].ticket, messages(1, 10), false});
  for (std::size_t i = 1; i < polls.size(); ++i) {
    feed(Received{polls[i].ticket, messages(10 * static_cast<int>(i) + 1, 5), false});
  }
  polls = take<ReceiveOrder>();
  pass(30'000);
  const auto extensions = take<HideOrder>();
  ASSERT_FALSE(extensions.empty());
  pass(15'000);
  for (const ReceiveOrder& order : take<ReceiveOrder>()) polls.push_back(order);
  for (const ReceiveOrder& order : polls) feed(Received{order.ticket, {}, false});
  EXPECT_TRUE(take<ReceiveOrder>().empty()) << "a quarter of the lease is left";
  for (const HideOrder& order : extensions) answer(order.ticket, order.handles.size());
  run_dry();
  expect_ended(StopReason::drained);
}

TEST_F(DrainTest, an_extension_that_failed_stops_receiving_only_while_something_is_held) {
  limits_.window_messages = 10;
  start();
  deliver(messages(1, 10));
  pass(limits_.visibility_s * 500);
  for (const HideOrder& order : take<HideOrder>()) {
    feed(CallFailed{order.ticket, Failure(Fault::temporary, "queue: away", "later")});
  }
  run_dry();
  expect_ended(StopReason::drained);
  EXPECT_EQ(heart_->books().deleted, 10U);
}

TEST_F(DrainTest, a_window_with_the_number_of_a_pruned_one_does_not_inherit_its_leases) {
  limits_.window_messages = 10;
  limits_.keep_closed_bytes = 0;
  start();
  deliver(messages(1, 10));
  load_all();
  EXPECT_EQ(delete_all().size(), 10U);
  deliver(messages(11, 1));
  pass(limits_.visibility_s * 500);
  for (const HideOrder& order : take<HideOrder>()) EXPECT_EQ(order.handles.size(), 1U);
}

TEST_F(DrainTest, nothing_is_held_beyond_twelve_hours_and_no_extension_asks_for_more) {
  limits_.visibility_s = 5 * 3600;
  start();
  deliver(messages(1, 1));
  std::int64_t hidden_until_s = limits_.visibility_s;
  for (std::int64_t at_s = 0; at_s < 13 * 3600; at_s += 600) {
    pass(600'000);
    for (const HideOrder& order : take<HideOrder>()) {
      hidden_until_s = at_s + 600 + order.visibility_s;
      EXPECT_LE(hidden_until_s, 12 * 3600);
      answer(order.ticket, order.handles.size());
    }
  }
  EXPECT_GT(hidden_until_s, 12 * 3600 - 120);
}

TEST_F(DrainTest, a_lease_of_twelve_hours_is_never_extended) {
  limits_.visibility_s = 12 * 3600;
  start();
  deliver(messages(1, 1));
  for (int hour = 0; hour < 13; ++hour) pass(3'600'000);
  EXPECT_TRUE(take<HideOrder>().empty());
}

TEST_F(DrainTest, what_is_loaded_and_not_yet_deleted_stays_hidden) {
  limits_.visibility_s = 60;
  start();
  deliver(messages(1, 20 / 2));
  load_all();
  const auto deletes = take<RemoveOrder>();
  ASSERT_EQ(deletes.size(), 1U);
  std::vector<EntryResult> results(10, {true, false, ""});
  results[3] = {false, false, "InternalError"};
  feed(BatchAnswered{deletes[0].ticket, results});
  ASSERT_TRUE(take<HideOrder>().empty());
  now_.steady_ms += 30'000;
  feed(Tick{});
  const auto extensions = take<HideOrder>();
  ASSERT_EQ(extensions.size(), 1U);
  EXPECT_EQ(extensions[0].handles, std::vector<std::string>{"r4.1"});
}

TEST_F(DrainTest, what_would_be_dead_lettered_when_given_back_is_staged_instead) {
  limits_.max_receive_count = 3;
  start();
  auto polls = take<ReceiveOrder>();
  std::vector<Message> last_chance = messages(1, 2);
  last_chance[1].receive_count = 3;
  feed(Received{polls[0].ticket, last_chance, false});
  for (const ReceiveOrder& order : take<ReceiveOrder>()) polls.push_back(order);
  feed(Interrupted{});
  EXPECT_TRUE(take<HideOrder>().empty());
  std::vector<Message> late = messages(11, 1);
  feed(Received{polls[1].ticket, late, false});
  const auto returned = take<HideOrder>();
  ASSERT_EQ(returned.size(), 1U) << "a first delivery may go back";
  answer(returned[0].ticket, 1);
  late = messages(21, 1);
  late[0].receive_count = 4;
  feed(Received{polls[2].ticket, late, false});
  EXPECT_TRUE(take<HideOrder>().empty());
  for (std::size_t i = 3; i < polls.size(); ++i) feed(Received{polls[i].ticket, {}, false});
  expect_ended(StopReason::interrupted);
  EXPECT_EQ(heart_->books().returned, 1U);
  EXPECT_EQ(heart_->books().carried_out, 3U);
  start();
  load_all();
  EXPECT_EQ(delete_all().size(), 3U);
}

TEST_F(DrainTest, a_message_given_back_may_come_again_while_the_run_leaves) {
  limits_.max_receive_count = 2;
  start();
  auto polls = take<ReceiveOrder>();
  feed(Received{polls[0].ticket, messages(1, 1), false});
  for (const ReceiveOrder& order : take<ReceiveOrder>()) polls.push_back(order);
  feed(Interrupted{});
  const auto returned = take<HideOrder>();
  ASSERT_EQ(returned.size(), 1U);
  answer(returned[0].ticket, 1);
  Message again = message(1, 2);
  again.receive_count = 2;
  feed(Received{polls[1].ticket, {again}, false});
  for (std::size_t i = 2; i < polls.size(); ++i) feed(Received{polls[i].ticket, {}, false});
  expect_ended(StopReason::interrupted);
  EXPECT_EQ(heart_->books().returned, 1U);
  EXPECT_EQ(heart_->books().carried_out, 1U);
}

}  // namespace
}  // namespace sluice
