// SPDX-License-Identifier: Apache-2.0
// The heart: receiving, windows, loads, deletes, and how a run ends. Leases: drain_leases_test.cc;
// FIFO queues: drain_fifo_test.cc; rejections that go elsewhere: drain_rejections_test.cc.
#include "tests/unit/drain_world.h"

namespace sluice {
namespace {

TEST_F(DrainTest, an_empty_queue_ends_after_two_empty_long_polls_in_a_row) {
  start();
  pass(2000);
  deliver({});  // the polls that ran side by side count as one
  EXPECT_FALSE(heart_->ended());
  auto polls = take<ReceiveOrder>();
  ASSERT_EQ(polls.size(), 1U);
  pass(2000);
  feed(Received{polls[0].ticket, {}, false});
  const auto counts = take<CountOrder>();
  ASSERT_EQ(counts.size(), 1U);
  feed(Counted{counts[0].ticket, {}});
  expect_ended(StopReason::drained);
  EXPECT_TRUE(heart_->books().nothing_done());
}

TEST_F(DrainTest, a_counter_that_disagrees_earns_a_few_more_polls_and_no_more) {
  start();
  int counts = 0;
  for (int i = 0; i < 50 && !heart_->ended(); ++i) {
    deliver({});
    for (const CountOrder& order : take<CountOrder>()) {
      ++counts;
      feed(Counted{order.ticket, {7, 0, 0}});
    }
    pass(2000);
  }
  expect_ended(StopReason::drained);
  EXPECT_LE(counts, 4);
  EXPECT_GE(counts, 2);
}

TEST_F(DrainTest, a_queue_that_says_that_more_comes_is_not_at_its_end) {
  start();
  for (int i = 0; i < 50; ++i) {
    for (const ReceiveOrder& poll : take<ReceiveOrder>()) {
      feed(Received{.ticket = poll.ticket, .messages = {}, .more_comes = true});
    }
    for (const CountOrder& order : take<CountOrder>()) feed(Counted{order.ticket, {}});
    pass(2000);
  }
  EXPECT_FALSE(heart_->ended());
  run_dry();
  expect_ended(StopReason::drained);
}

TEST_F(DrainTest, nothing_is_deleted_before_its_window_is_loaded) {
  start();
  deliver(messages(1, 10));
  EXPECT_TRUE(take<RemoveOrder>().empty());
  ASSERT_EQ(take<LoadOrder>().size(), 1U);  // the empty answers said: finish what is held
  pass(2000);
  EXPECT_TRUE(take<RemoveOrder>().empty());
  const auto unfinished = checkpoint_->unfinished();
  ASSERT_EQ(unfinished.size(), 1U);
  feed(LoadAnswered{unfinished[0].number, Loaded{{10, 0, 0, 0, {10}}, false}});
  EXPECT_EQ(delete_all().size(), 10U);
  run_dry();
  expect_ended(StopReason::drained);
  EXPECT_EQ(heart_->books().loaded, 10U);
  EXPECT_EQ(heart_->books().deleted, 10U);
  EXPECT_TRUE(checkpoint_->unfinished().empty());
}

TEST_F(DrainTest, the_next_window_is_received_while_one_is_loaded) {
  limits_.window_messages = 10;
  start();
  auto polls = take<ReceiveOrder>();
  ASSERT_GE(polls.size(), 2U);
  feed(Received{polls[0].ticket, messages(1, 10), false});
  const auto loads = take<LoadOrder>();
  ASSERT_EQ(loads.size(), 1U);
  feed(Received{polls[1].ticket, messages(11, 10), false});
  EXPECT_EQ(heart_->books().received, 20U);
  EXPECT_EQ(checkpoint_->unfinished().size(), 2U);
  EXPECT_TRUE(take<LoadOrder>().empty()) << "one load at a time";
  feed(LoadAnswered{loads[0].window->window.number, Loaded{{10, 0, 0, 0, {10}}, false}});
  EXPECT_EQ(take<LoadOrder>().size(), 1U);
}

TEST_F(DrainTest, a_window_never_holds_more_than_it_may) {
  limits_.window_messages = 7;
  limits_.max_messages = 30;
  start();
  for (int first = 1; heart_->books().received < 30;) {
    const auto polls = take<ReceiveOrder>();
    ASSERT_FALSE(polls.empty());
    for (const ReceiveOrder& order : polls) {
      feed(Received{order.ticket, messages(first, order.most), false});
      first += order.most;
    }
  }
  run_dry();
  expect_ended(StopReason::max_messages);
  EXPECT_EQ(heart_->books().windows, 5U);
  EXPECT_EQ(heart_->books().loaded, 30U);
}

TEST_F(DrainTest, never_asks_for_more_than_max_messages) {
  limits_.max_messages = 25;
  start();
  const auto polls = take<ReceiveOrder>();
  int asked = 0;
  for (const ReceiveOrder& order : polls) asked += order.most;
  EXPECT_EQ(asked, 25);
  feed(Received{polls[0].ticket, messages(1, 4), false});  // fewer came than were asked for
  int more = 0;
  for (const ReceiveOrder& order : take<ReceiveOrder>()) more += order.most;
  EXPECT_EQ(more, 6);
}

TEST_F(DrainTest, never_holds_more_than_the_in_flight_cap) {
  limits_.in_flight_cap = 15;
  start();
  const auto polls = take<ReceiveOrder>();
  ASSERT_EQ(polls.size(), 2U);
  feed(Received{polls[0].ticket, messages(1, 10), false});
  feed(Received{polls[1].ticket, messages(11, 5), false});
  EXPECT_TRUE(take<ReceiveOrder>().empty());
  // At the cap a window that can grow no further is finished, or nothing would ever be deleted.
  load_all();
  EXPECT_EQ(delete_all().size(), 15U);
  EXPECT_FALSE(take<ReceiveOrder>().empty());
}

TEST_F(DrainTest, at_sqs_s_own_limit_it_waits_for_deletes_and_does_not_count_it_as_empty) {
  start();
  auto polls = take<ReceiveOrder>();
  feed(Received{polls[0].ticket, messages(1, 10), false});
  for (const ReceiveOrder& order : take<ReceiveOrder>()) polls.push_back(order);
  for (std::size_t i = 1; i < polls.size(); ++i) feed(Received{polls[i].ticket, {}, true});
  EXPECT_TRUE(take<ReceiveOrder>().empty()) << "not at once";
  pass(1000);
  EXPECT_FALSE(take<ReceiveOrder>().empty());
}

TEST_F(DrainTest, receiving_stops_while_two_windows_lie_on_the_disk) {
  limits_.window_bytes = 1 << 20;
  start();
  int first = 1;
  std::uint64_t received = 0;
  for (int i = 0; i < 100; ++i) {
    const auto polls = take<ReceiveOrder>();
    if (polls.empty()) break;
    auto big = messages(first, 10);
    for (Message& each : big) each.body = "{\"v\":\"" + std::string(100'000, 'x') + "\"}";
    feed(Received{polls[0].ticket, std::move(big), false});
    for (std::size_t k = 1; k < polls.size(); ++k)
      feed(Received{polls[k].ticket, {message(first + 50)}, false});
    first += 100;
    received += 1'000'000;
  }
  EXPECT_LT(received, 5'000'000U) << "nothing was loaded, and it went on";
  load_all();
  EXPECT_FALSE(delete_all().empty());
  EXPECT_FALSE(take<ReceiveOrder>().empty());
}

TEST_F(DrainTest, five_thousand_messages_are_staged_at_once_and_a_few_after_half_a_second) {
  start();
  const auto deliver_ten = [this](int first) {
    const auto polls = take<ReceiveOrder>();
    ASSERT_FALSE(polls.empty());
    feed(Received{polls[0].ticket, messages(first, 10), false});
    orders_.insert(orders_.end(), polls.begin() + 1, polls.end());
  };
  const auto staged = [this] { return checkpoint_->unfinished().at(0).messages; };
  for (int first = 1; first < 4990; first += 10) deliver_ten(first);
  EXPECT_EQ(staged(), 0U);
  deliver_ten(4991);
  EXPECT_EQ(staged(), 5000U);
  deliver_ten(5001);
  pass(499);
  EXPECT_EQ(staged(), 5000U);
  pass(1);
  EXPECT_EQ(staged(), 5010U);
}

TEST_F(DrainTest, a_clock_that_is_set_back_does_not_keep_a_window_open) {
  start();
  auto polls = take<ReceiveOrder>();
  feed(Received{polls[0].ticket, messages(1, 10), false});
  now_.wall_ms -= 86'400'000;
  pass(limits_.window_time_ms);
  EXPECT_EQ(take<LoadOrder>().size(), 1U);
}

TEST_F(DrainTest, a_message_staged_twice_in_one_window_keeps_its_row_and_takes_the_newest_receipt) {
  start();
  auto polls = take<ReceiveOrder>();
  feed(Received{polls[0].ticket, {message(1), message(2)}, false});
  pass(1000);  // staged by now
  feed(Received{polls[1].ticket, {message(1, 2), message(3), message(3, 2)}, false});
  for (std::size_t i = 2; i < polls.size(); ++i) feed(Received{polls[i].ticket, {}, false});
  load_all();
  EXPECT_EQ(delete_all(), (std::vector<std::string>{"r1.2", "r2.1", "r3.2"}));
  run_dry();
  expect_ended(StopReason::drained);
  EXPECT_EQ(heart_->books().loaded, 3U);
  EXPECT_EQ(heart_->books().duplicate, 2U);
}

TEST_F(DrainTest, a_receipt_that_was_overtaken_by_a_newer_one_is_not_taken) {
  start();
  auto polls = take<ReceiveOrder>();
  feed(Received{polls[0].ticket, {message(1, 2)}, false});
  feed(Received{polls[1].ticket, {message(1, 1)}, false});
  for (std::size_t i = 2; i < polls.size(); ++i) feed(Received{polls[i].ticket, {}, false});
  load_all();
  EXPECT_EQ(delete_all(), (std::vector<std::string>{"r1.2"}));
}

TEST_F(DrainTest, of_two_receipts_with_the_same_count_both_are_used) {
  start();
  const auto polls = take<ReceiveOrder>();
  feed(Received{polls[0].ticket, {message(1), message(2)}, false});
  Message again = message(2, 2);
  again.receive_count = 1;
  feed(Received{polls[1].ticket, {message(3), again}, false});
  deliver({});
  pass(2000);
  std::vector<std::string> deleted;
  for (int i = 0; i < 5; ++i) {
    load_all();
    for (std::string& handle : delete_all()) deleted.push_back(std::move(handle));
    pass(500);
  }
  std::sort(deleted.begin(), deleted.end());
  EXPECT_EQ(deleted, (std::vector<std::string>{"r1.1", "r2.1", "r2.2", "r3.1"}));
}

TEST_F(DrainTest, a_newer_receipt_survives_a_crash) {
  start();
  auto polls = take<ReceiveOrder>();
  feed(Received{polls[0].ticket, {message(1)}, false});
  pass(1000);
  feed(Received{polls[1].ticket, {message(1, 2)}, false});
  feed(Received{polls[2].ticket, {}, false});
  ASSERT_EQ(take<LoadOrder>().size(), 1U);
  orders_.clear();
  start();
  load_all();
  EXPECT_EQ(delete_all(), (std::vector<std::string>{"r1.2"}));
}

TEST_F(DrainTest, entries_that_failed_for_now_are_deleted_again_and_only_those) {
  start();
  deliver(messages(1, 10));
  load_all();
  auto first = take<RemoveOrder>();
  ASSERT_EQ(first.size(), 1U);
  std::vector<EntryResult> results(10, {true, false, ""});
  results[3] = {false, false, "InternalError"};
  results[7] = {false, true, "ReceiptHandleIsInvalid"};
  feed(BatchAnswered{first[0].ticket, results});
  pass(5000);
  const auto second = take<RemoveOrder>();
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].handles, (std::vector<std::string>{"r4.1"}));
  feed(BatchAnswered{second[0].ticket, {{true, false, ""}}});
  run_dry();
  expect_ended(StopReason::drained);
  EXPECT_EQ(heart_->books().deleted, 9U);
  EXPECT_EQ(heart_->books().delete_failed, 1U);
}

TEST_F(DrainTest,
       deletes_that_keep_failing_stay_in_the_loaded_window_and_end_the_run_as_temporary) {
  start();
  deliver(messages(1, 10));
  load_all();
  std::vector<EntryResult> results(10, {true, false, ""});
  results[3] = {false, false, "InternalError"};
  for (int i = 0; i < 100 && !heart_->ended(); ++i) {
    for (const RemoveOrder& order : take<RemoveOrder>()) {
      feed(BatchAnswered{order.ticket, results});
      results.assign(1, {false, false, "InternalError"});
    }
    deliver({});
    pass(1000);
  }
  expect_ended(StopReason::error);
  ASSERT_TRUE(heart_->failure().has_value());
  EXPECT_EQ(heart_->failure()->fault(), Fault::temporary);
  orders_.clear();
  start();
  const auto left = take<RemoveOrder>();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].handles, (std::vector<std::string>{"r4.1"}));
}

TEST_F(DrainTest, deletes_that_an_earlier_run_left_come_before_the_first_receive) {
  start();
  deliver(messages(1, 10));
  load_all();
  orders_.clear();
  start();
  EXPECT_TRUE(take<ReceiveOrder>().empty());
  EXPECT_EQ(heart_->books().carried_in, 0U);
  EXPECT_EQ(delete_all().size(), 10U);
  EXPECT_FALSE(take<ReceiveOrder>().empty());
}

TEST_F(DrainTest, a_window_found_open_is_complete_and_one_found_sealed_is_loaded) {
  limits_.window_messages = 10;
  start();
  auto polls = take<ReceiveOrder>();
  feed(Received{polls[0].ticket, messages(1, 10), false});  // sealed
  feed(Received{polls[1].ticket, messages(11, 4), false});  // open
  pass(1000);
  orders_.clear();
  start();
  EXPECT_EQ(heart_->books().carried_in, 14U);
  EXPECT_TRUE(take<ReceiveOrder>().empty());
  load_all();
  EXPECT_EQ(delete_all().size(), 14U);
  run_dry();
  expect_ended(StopReason::drained);
  EXPECT_EQ(heart_->books().loaded, 14U);
}

TEST_F(DrainTest, a_signal_returns_what_is_unstaged_and_keeps_what_is_staged) {
  start();
  auto polls = take<ReceiveOrder>();
  feed(Received{polls[0].ticket, messages(1, 10), false});
  pass(1000);                                                // staged
  feed(Received{polls[1].ticket, messages(11, 10), false});  // not yet
  for (const ReceiveOrder& order : take<ReceiveOrder>()) polls.push_back(order);
  feed(Interrupted{});
  EXPECT_EQ(take<StopReceivingOrder>().size(), 1U);
  auto returned = take<HideOrder>();
  ASSERT_EQ(returned.size(), 1U);
  EXPECT_EQ(returned[0].visibility_s, 0);
  EXPECT_EQ(returned[0].handles.front(), "r11.1");
  feed(Received{polls[2].ticket, messages(21, 3), false});  // a poll that was under way
  const auto late = take<HideOrder>();
  ASSERT_EQ(late.size(), 1U);
  EXPECT_EQ(late[0].handles.size(), 3U);
  EXPECT_TRUE(take<ReceiveOrder>().empty());
  for (std::size_t i = 3; i < polls.size(); ++i) feed(Received{polls[i].ticket, {}, false});
  returned.push_back(late[0]);
  for (const HideOrder& order : returned) {
    feed(BatchAnswered{order.ticket,
                       std::vector<EntryResult>(order.handles.size(), {true, false, ""})});
  }
  expect_ended(StopReason::interrupted);
  EXPECT_EQ(heart_->books().returned, 13U);
  EXPECT_EQ(heart_->books().carried_out, 10U);
}

TEST_F(DrainTest, a_stop_interrupts_a_load_that_waits_and_never_takes_longer_than_it_may) {
  start();
  deliver(messages(1, 10));
  ASSERT_EQ(take<LoadOrder>().size(), 1U);
  feed(Interrupted{});
  EXPECT_TRUE(take<InterruptOrder>().empty()) << "it may just be about to commit";
  pass(kStopLoadAfterMs);
  EXPECT_EQ(take<InterruptOrder>().size(), 1U);
  pass(kStopAfterMs - kStopLoadAfterMs);
  expect_ended(StopReason::interrupted);
  EXPECT_EQ(heart_->books().carried_out, 10U);
}

TEST_F(DrainTest, other_contents_under_its_id_make_a_window_a_new_one) {
  start();
  deliver(messages(1, 10));
  answer_load(OtherContents{});
  const WindowId first = last_load_.id;
  load_all();
  EXPECT_NE(last_load_.id, first);
  EXPECT_EQ(delete_all().size(), 10U);
}

TEST_F(DrainTest, a_load_in_doubt_is_called_again_with_the_same_id) {
  start();
  deliver(messages(1, 10));
  answer_load(temporary());
  const WindowId first = last_load_.id;
  EXPECT_TRUE(take<LoadOrder>().empty()) << "not at once";
  pass(10'000);
  load_all();
  EXPECT_EQ(last_load_.id, first);
}

TEST_F(DrainTest, a_database_that_stays_away_ends_the_run_and_the_window_waits) {
  start();
  deliver(messages(1, 10));
  for (int i = 0; i < 200 && !heart_->ended(); ++i) {
    for (const LoadOrder& order : take<LoadOrder>()) {
      feed(LoadAnswered{order.window->window.number, temporary()});
    }
    deliver({});
    pass(1000);
  }
  expect_ended(StopReason::error);
  EXPECT_EQ(heart_->failure()->fault(), Fault::temporary);
  EXPECT_EQ(heart_->books().carried_out, 10U);
  EXPECT_EQ(checkpoint_->unfinished().size(), 1U);
}

TEST_F(DrainTest,
       a_carried_window_older_than_the_ledger_remembers_is_loaded_only_if_it_was_committed) {
  start();
  deliver(messages(1, 10));
  ASSERT_EQ(take<LoadOrder>().size(), 1U);
  now_.wall_ms += limits_.dedup_ms;
  orders_.clear();
  start();
  const auto loads = take<LoadOrder>();
  ASSERT_EQ(loads.size(), 1U);
  EXPECT_TRUE(loads[0].only_if_committed);
  feed(LoadAnswered{loads[0].window->window.number, NotCommitted{}});
  EXPECT_GT(heart_->wake_ms(), now_.steady_ms) << "nothing is to be done for what is set aside";
  run_dry();
  expect_ended(StopReason::drained);
  EXPECT_EQ(heart_->books().carried_out, 10U);
  EXPECT_EQ(heart_->books().deleted, 0U);
}

TEST_F(DrainTest, a_long_poll_is_asked_for_in_pieces_that_a_stop_can_wait_for) {
  limits_.wait_s = 20;
  start();
  std::int64_t polled_s = 0;
  for (int i = 0; i < 100 && !heart_->ended(); ++i) {
    const auto polls = take<ReceiveOrder>();
    for (const ReceiveOrder& order : polls) {
      EXPECT_LE(order.wait_s, kLongestPollS);
      EXPECT_GE(order.wait_s, 1);
    }
    if (!polls.empty()) polled_s += polls[0].wait_s;
    pass(3000);
    for (const ReceiveOrder& order : polls) feed(Received{order.ticket, {}, false});
    for (const CountOrder& order : take<CountOrder>()) feed(Counted{order.ticket, {}});
  }
  expect_ended(StopReason::drained);
  EXPECT_EQ(polled_s, 40);
}

TEST_F(DrainTest, with_sent_before_it_is_done_once_only_newer_messages_come) {
  limits_.sent_before_ms = kWall;
  start();
  const auto newer = [this](int first, int count) {
    std::vector<Message> made = messages(first, count);
    for (Message& message : made) message.sent_ms = kWall + 1;
    return made;
  };
  auto polls = take<ReceiveOrder>();
  feed(Received{polls[0].ticket, messages(1, 10), false});
  for (const ReceiveOrder& order : take<ReceiveOrder>()) polls.push_back(order);
  int next = 100;
  for (std::size_t i = 1; i < polls.size(); ++i) {
    std::vector<Message> mixed = newer(next += 10, 5);
    mixed.push_back(message(next + 9));
    feed(Received{polls[i].ticket, mixed, false});
  }
  std::uint64_t sent = 10 + 6 * (polls.size() - 1);
  int rounds = 0;
  for (; rounds < 20 && !heart_->ended(); ++rounds) {
    load_all();
    delete_all();
    pass(100);
    for (const ReceiveOrder& order : take<ReceiveOrder>()) {
      feed(Received{order.ticket, newer(next += 10, 10), false});
      sent += 10;
    }
    for (const CountOrder& order : take<CountOrder>()) feed(Counted{order.ticket, {5000, 0, 0}});
  }
  expect_ended(StopReason::drained);
  EXPECT_LE(rounds, 6);
  EXPECT_EQ(heart_->books().loaded, sent) << "what came along is loaded too";
}

TEST_F(DrainTest, max_runtime_finishes_what_is_held_and_ends) {
  limits_.max_runtime_ms = 5000;
  start();
  auto polls = take<ReceiveOrder>();
  feed(Received{polls[0].ticket, messages(1, 10), false});
  for (const ReceiveOrder& order : take<ReceiveOrder>()) polls.push_back(order);
  pass(5000);
  for (std::size_t i = 1; i < polls.size(); ++i) {
    feed(Received{polls[i].ticket, messages(100 * static_cast<int>(i), 10), false});
  }
  EXPECT_TRUE(take<ReceiveOrder>().empty());
  run_dry();
  expect_ended(StopReason::max_runtime);
  EXPECT_EQ(heart_->books().loaded, 10 * polls.size());
  EXPECT_LE(heart_->books().windows, 2U);
}

}  // namespace
}  // namespace sluice
