// SPDX-License-Identifier: Apache-2.0
// The heart on a FIFO queue: the order inside a group is kept, and blocked groups are understood.
#include <algorithm>

#include "tests/unit/drain_world.h"

namespace sluice {
namespace {

class DrainFifoTest : public DrainTest {
 protected:
  DrainFifoTest() { limits_.fifo = true; }

  std::vector<Message> group(const std::string& name, int first, int count) const {
    std::vector<Message> made = messages(first, count);
    for (Message& message : made) {
      message.group = name;
      message.sequence = std::to_string(10'000 + first);
    }
    return made;
  }
};

TEST_F(DrainFifoTest, an_empty_answer_says_nothing_while_messages_are_held) {
  start();
  auto polls = take<ReceiveOrder>();
  feed(Received{polls[0].ticket, group("a", 1, 10), false});
  for (const ReceiveOrder& order : take<ReceiveOrder>()) polls.push_back(order);
  for (std::size_t i = 1; i < polls.size(); ++i) feed(Received{polls[i].ticket, {}, false});
  pass(2000);
  EXPECT_FALSE(heart_->ended());
  polls = take<ReceiveOrder>();
  EXPECT_FALSE(polls.empty()) << "it asks on, for groups that are not blocked";
  for (const ReceiveOrder& order : polls) feed(Received{order.ticket, {}, false});
  load_all();
  EXPECT_EQ(delete_all().size(), 10U);
  run_dry();
  expect_ended(StopReason::drained);
}

TEST_F(DrainFifoTest, a_window_does_not_wait_for_messages_that_stand_behind_its_own) {
  start();
  const auto polls = take<ReceiveOrder>();
  feed(Received{polls[0].ticket, group("a", 1, 10), false});
  EXPECT_TRUE(take<LoadOrder>().empty());
  EXPECT_LE(heart_->wake_ms(), now_.steady_ms + kFifoLingerMs);
  pass(kFifoLingerMs);
  EXPECT_EQ(take<LoadOrder>().size(), 1U) << "although polls are still under way";
}

TEST_F(DrainFifoTest, a_later_window_is_never_loaded_before_an_earlier_one) {
  limits_.window_messages = 4;
  start();
  const auto polls = take<ReceiveOrder>();
  feed(Received{polls[0].ticket, group("a", 1, 8), false});
  feed(Received{polls[1].ticket, group("a", 9, 8), false});
  auto loads = take<LoadOrder>();
  ASSERT_EQ(loads.size(), 1U);
  const std::int64_t first = loads[0].window->window.number;
  EXPECT_EQ(loads[0].window->messages.size(), 8U) << "an answer is not split";
  feed(LoadAnswered{first, temporary()});
  EXPECT_TRUE(take<LoadOrder>().empty()) << "the second waits for the first";
  pass(1000);
  loads = take<LoadOrder>();
  ASSERT_EQ(loads.size(), 1U);
  EXPECT_EQ(loads[0].window->window.number, first);
}

TEST_F(DrainFifoTest, a_group_is_never_deleted_past_a_message_that_failed) {
  start();
  auto polls = take<ReceiveOrder>();
  feed(Received{polls[0].ticket, group("a", 1, 10), false});
  std::vector<Message> mixed = group("a", 11, 5);
  for (Message& other : group("b", 21, 5)) mixed.push_back(std::move(other));
  feed(Received{polls[1].ticket, mixed, false});
  pass(kFifoLingerMs);
  load_all();
  auto deletes = take<RemoveOrder>();
  ASSERT_EQ(deletes.size(), 2U);
  EXPECT_EQ(deletes[0].handles.size(), 10U);
  EXPECT_EQ(deletes[1].handles,
            (std::vector<std::string>{"r21.1", "r22.1", "r23.1", "r24.1", "r25.1"}))
      << "the rest of group a waits for the first call";
  std::vector<EntryResult> results(10, {true, false, ""});
  results[9] = {false, false, "InternalError"};
  feed(BatchAnswered{deletes[0].ticket, results});
  answer(deletes[1].ticket, 5);
  EXPECT_TRUE(take<RemoveOrder>().empty());
  pass(1000);
  deletes = take<RemoveOrder>();
  ASSERT_EQ(deletes.size(), 1U);
  EXPECT_EQ(deletes[0].handles.front(), "r10.1");
  EXPECT_EQ(deletes[0].handles.size(), 6U);
  answer(deletes[0].ticket, 6);
  EXPECT_EQ(heart_->books().deleted, 20U);
}

TEST_F(DrainFifoTest, behind_a_message_whose_lease_was_lost_its_group_is_given_back) {
  start();
  auto polls = take<ReceiveOrder>();
  feed(Received{polls[0].ticket, group("a", 1, 10), false});
  feed(Received{polls[1].ticket, group("a", 11, 3), false});
  pass(kFifoLingerMs);
  load_all();
  const auto deletes = take<RemoveOrder>();
  ASSERT_EQ(deletes.size(), 1U);
  std::vector<EntryResult> results(10, {true, false, ""});
  results[4] = {false, true, "ReceiptHandleIsInvalid"};
  feed(BatchAnswered{deletes[0].ticket, results});
  const auto released = take<HideOrder>();
  ASSERT_EQ(released.size(), 1U);
  EXPECT_EQ(released[0].visibility_s, 0);
  EXPECT_EQ(released[0].handles, (std::vector<std::string>{"r11.1", "r12.1", "r13.1"}));
  EXPECT_EQ(heart_->books().delete_failed, 4U);
  EXPECT_EQ(heart_->books().deleted, 9U);
}

TEST_F(DrainFifoTest, deletes_that_an_earlier_run_left_go_in_their_order_too) {
  start();
  auto polls = take<ReceiveOrder>();
  feed(Received{polls[0].ticket, group("a", 1, 10), false});
  feed(Received{polls[1].ticket, group("b", 11, 5), false});
  pass(kFifoLingerMs);
  load_all();
  start();
  auto deletes = take<RemoveOrder>();
  ASSERT_EQ(deletes.size(), 1U) << "nobody knows the groups any more";
  EXPECT_EQ(deletes[0].handles.size(), 10U);
  answer(deletes[0].ticket, 10);
  EXPECT_EQ(delete_all().size(), 5U);
}

}  // namespace
}  // namespace sluice
