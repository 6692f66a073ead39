// SPDX-License-Identifier: Apache-2.0
// The heart: how deletes are cut into calls, what becomes of calls that fail, and of extensions
// that come too late.
#include "tests/unit/drain_world.h"

namespace sluice {
namespace {

TEST_F(DrainTest, deletes_go_in_calls_of_ten_and_never_in_an_empty_one) {
  for (const std::size_t messages_held : {1U, 10U, 11U, 20U, 25U}) {
    SCOPED_TRACE(messages_held);
    limits_.window_messages = static_cast<std::uint32_t>(messages_held);
    start();
    const int first = 1 + 100 * static_cast<int>(messages_held);
    std::size_t given = 0;
    for (const ReceiveOrder& order : take<ReceiveOrder>()) {
      const std::size_t count = std::min<std::size_t>(10, messages_held - given);
      feed(Received{order.ticket,
                    messages(first + static_cast<int>(given), static_cast<int>(count)), false});
      given += count;
      if (given == messages_held) break;
    }
    for (const ReceiveOrder& order : take<ReceiveOrder>()) feed(Received{order.ticket, {}, false});
    load_all();
    std::vector<std::size_t> sizes;
    for (auto orders = take<RemoveOrder>(); !orders.empty(); orders = take<RemoveOrder>()) {
      for (const RemoveOrder& order : orders) {
        sizes.push_back(order.handles.size());
        answer(order.ticket, order.handles.size());
      }
    }
    std::vector<std::size_t> expected(messages_held / 10, 10);
    if (messages_held % 10 > 0) expected.push_back(messages_held % 10);
    EXPECT_EQ(sizes, expected);
    EXPECT_TRUE(checkpoint_->unfinished().empty());
  }
}

TEST_F(DrainTest, as_many_deletes_go_side_by_side_as_receives_and_never_fewer_than_thirty_two) {
  limits_.window_messages = 2000;
  int first = 1;
  for (const auto& [receivers, most] : {std::pair(1, 32U), std::pair(64, 64U)}) {
    SCOPED_TRACE(receivers);
    limits_.receivers = receivers;
    start();
    for (int given = 0; given < 2000; given += 10) {
      const auto polls = take<ReceiveOrder>();
      ASSERT_FALSE(polls.empty());
      feed(Received{polls[0].ticket, messages(first + given, 10), false});
      orders_.insert(orders_.end(), polls.begin() + 1, polls.end());
    }
    first += 2000;
    load_all();
    std::size_t side_by_side = 0;
    std::vector<RemoveOrder> under_way = take<RemoveOrder>();
    while (!under_way.empty()) {
      side_by_side = std::max(side_by_side, under_way.size());
      answer(under_way[0].ticket, under_way[0].handles.size());
      under_way.erase(under_way.begin());
      for (RemoveOrder& order : take<RemoveOrder>()) under_way.push_back(std::move(order));
    }
    EXPECT_EQ(side_by_side, most);
  }
}

TEST_F(DrainTest, a_delete_call_that_fails_holds_up_no_later_one_and_is_made_again) {
  limits_.window_messages = 30;
  start();
  const auto polls = take<ReceiveOrder>();
  ASSERT_GE(polls.size(), 3U);
  for (int i = 0; i < 3; ++i) {
    feed(Received{polls[static_cast<std::size_t>(i)].ticket, messages(1 + 10 * i, 10), false});
  }
  for (std::size_t i = 3; i < polls.size(); ++i) feed(Received{polls[i].ticket, {}, false});
  load_all();
  const auto calls = take<RemoveOrder>();
  ASSERT_EQ(calls.size(), 2U);
  feed(CallFailed{calls[0].ticket, Failure(Fault::temporary, "queue: away", "later")});
  answer(calls[1].ticket, 10);
  const auto third = take<RemoveOrder>();
  ASSERT_EQ(third.size(), 1U);
  EXPECT_EQ(third[0].handles.front(), "r21.1");
  answer(third[0].ticket, 10);
  EXPECT_TRUE(take<RemoveOrder>().empty()) << "not at once";
  pass(10'000);
  const auto again = take<RemoveOrder>();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].handles, calls[0].handles);
  answer(again[0].ticket, 10);
  run_dry();
  expect_ended(StopReason::drained);
  EXPECT_EQ(heart_->books().deleted, 30U);
}

TEST_F(DrainTest, an_extension_that_its_delete_has_overtaken_is_nobodys_failure) {
  limits_.visibility_s = 60;
  start();
  deliver(messages(1, 10));
  ASSERT_EQ(take<LoadOrder>().size(), 1U);
  pass(30'000);
  const auto extensions = take<HideOrder>();
  ASSERT_EQ(extensions.size(), 1U);
  const auto unfinished = checkpoint_->unfinished();
  feed(LoadAnswered{unfinished.at(0).number, Loaded{{10, 0, 0, 0, {10}}, false}});
  EXPECT_EQ(delete_all().size(), 10U);
  feed(BatchAnswered{extensions[0].ticket,
                     std::vector<EntryResult>(10, {false, true, "MessageNotInflight"})});
  EXPECT_FALSE(heart_->ended()) << "it goes on";
  deliver(messages(11, 1));
  run_dry();
  expect_ended(StopReason::drained);
  EXPECT_EQ(heart_->books().deleted, 11U);
  EXPECT_EQ(heart_->books().delete_failed, 0U);
}

TEST_F(DrainTest, an_extension_that_fails_for_one_message_holds_up_none) {
  limits_.visibility_s = 60;
  start();
  const auto polls = take<ReceiveOrder>();
  feed(Received{polls.at(0).ticket, messages(1, 10), false});
  for (std::size_t i = 1; i < polls.size(); ++i) feed(Received{polls[i].ticket, {}, false});
  ASSERT_EQ(take<LoadOrder>().size(), 1U);
  const std::int64_t first = checkpoint_->unfinished().at(0).number;
  pass(30'000);
  const auto extensions = take<HideOrder>();
  ASSERT_EQ(extensions.size(), 1U);
  std::vector<EntryResult> results(10, {true, false, ""});
  results[3] = {false, false, "InternalError"};
  feed(BatchAnswered{extensions[0].ticket, results});
  deliver({message(4, 2)});  // its lease has ended: it comes again, and into the next window
  feed(LoadAnswered{first, Loaded{{10, 0, 0, 0, {10}}, false}});
  EXPECT_EQ(delete_all().size(), 10U);
  pass(limits_.window_time_ms);
  answer_load(Loaded{{0, 1, 0, 0, {0}}, false});
  EXPECT_EQ(delete_all(), std::vector<std::string>{"r4.2"});
  run_dry();
  expect_ended(StopReason::drained);
  EXPECT_EQ(heart_->books().loaded, 10U);
  EXPECT_EQ(heart_->books().duplicate, 1U);
}

}  // namespace
}  // namespace sluice
