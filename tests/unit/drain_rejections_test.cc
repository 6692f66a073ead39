// SPDX-License-Identifier: Apache-2.0
// The heart when rejections go elsewhere: forwarded before they are deleted, or left in the queue.
#include "tests/unit/drain_world.h"

namespace sluice {
namespace {

class DrainRejectionsTest : public DrainTest {
 protected:
  static LoadResult loaded_with(std::uint64_t loaded, std::uint64_t rejected,
                                std::vector<std::uint32_t> left = {}) {
    LoadCounts counts;
    counts.loaded = loaded;
    counts.rejected = rejected;
    counts.rows = {loaded};
    return Loaded{counts, false, std::move(left)};
  }
  std::int64_t forward_order() {
    const auto orders = take<ForwardOrder>();
    EXPECT_EQ(orders.size(), 1U);
    return orders.empty() ? 0 : orders[0].window->window.number;
  }
};

TEST_F(DrainRejectionsTest, a_rejection_is_forwarded_before_its_window_is_deleted) {
  limits_.forwards = true;
  start();
  deliver(messages(1, 10));
  answer_load(loaded_with(9, 1));
  EXPECT_TRUE(take<RemoveOrder>().empty());
  const std::int64_t window = forward_order();
  feed(ForwardAnswered{window, Forwarded{1}});
  EXPECT_EQ(delete_all().size(), 10U);
  EXPECT_EQ(heart_->books().forwarded, 1U);
  run_dry();
  expect_ended(StopReason::drained);
}

TEST_F(DrainRejectionsTest, a_window_without_rejections_or_duplicates_is_not_looked_at) {
  limits_.forwards = true;
  start();
  deliver(messages(1, 10));
  answer_load(loaded_with(10, 0));
  EXPECT_TRUE(take<ForwardOrder>().empty());
  EXPECT_EQ(delete_all().size(), 10U);
}

TEST_F(DrainRejectionsTest, what_cannot_be_forwarded_is_tried_again_and_never_deleted) {
  limits_.forwards = true;
  start();
  deliver(messages(1, 10));
  answer_load(loaded_with(9, 1));
  for (int i = 0; i < 100 && !heart_->ended(); ++i) {
    for (const ForwardOrder& order : take<ForwardOrder>()) {
      feed(ForwardAnswered{
          order.window->window.number,
          ForwardFailed{Failure(Fault::temporary, "dead-letter queue: away", "later"), true}});
    }
    EXPECT_TRUE(take<RemoveOrder>().empty());
    for (const ReceiveOrder& order : take<ReceiveOrder>()) feed(Received{order.ticket, {}, false});
    for (const HideOrder& order : take<HideOrder>()) answer(order.ticket, order.handles.size());
    for (const CountOrder& order : take<CountOrder>()) feed(Counted{order.ticket, {}});
    pass(2000);
  }
  expect_ended(StopReason::error);
  EXPECT_EQ(heart_->failure()->fault(), Fault::temporary);

  start();
  EXPECT_TRUE(take<RemoveOrder>().empty()) << "the next run forwards first, too";
  feed(ForwardAnswered{forward_order(), Forwarded{1}});
  EXPECT_EQ(delete_all().size(), 10U);
}

TEST_F(DrainRejectionsTest, what_is_left_in_the_queue_is_not_deleted_by_this_run_or_the_next) {
  start();
  deliver(messages(1, 4));
  answer_load(loaded_with(2, 2, {0, 2}));
  start();
  EXPECT_EQ(delete_all(), (std::vector<std::string>{"r2.1", "r4.1"}));
}

TEST_F(DrainRejectionsTest, a_window_that_is_left_as_a_whole_is_closed) {
  start();
  deliver(messages(1, 2));
  answer_load(loaded_with(0, 2, {0, 1}));
  EXPECT_TRUE(take<RemoveOrder>().empty());
  run_dry();
  expect_ended(StopReason::drained);
  EXPECT_EQ(heart_->books().rejected, 2U);
}

}  // namespace
}  // namespace sluice
