// SPDX-License-Identifier: Apache-2.0
// Killed in a state of a window where rejections go elsewhere than into their table, and on a FIFO
// queue.
#include <gtest/gtest.h>

#include "tests/crash/hold.h"

namespace sluice {
namespace {

constexpr char kDead[] = "dead";

class WindowStatesByMode : public testing::Test {
 protected:
  WindowStatesByMode() {
    world_.variables()["SLUICE_WINDOW_MESSAGES"] = "120";
    world_.variables()["SLUICE_RECEIVERS"] = "1";
  }
  void use_queue_with_dead_letters(const char* rejections) {
    world_.aws().sqs().add_queue({.name = kDead});
    world_.use_queue({.name = "logins", .max_receive_count = 9, .dead_letter_queue = kDead});
    world_.variables()["SLUICE_REJECTIONS"] = rejections;
  }
  void kill_in(Phase phase) { sluice::kill_in(world_, phase); }
  std::size_t dead_letters() {
    std::size_t sent = 0;
    world_.aws().sqs().with_queue(
        kDead, [&](SandboxQueue& queue, Now now) { sent = queue.tally(now).sent; });
    return sent;
  }

  CrashWorld world_;
};

TEST_F(WindowStatesByMode, what_was_not_forwarded_is_forwarded_before_it_is_deleted) {
  use_queue_with_dead_letters("dead-letter-queue");
  world_.send(100);  // one of them is bad
  kill_in(Phase::forwarding);
  EXPECT_EQ(dead_letters(), 0U);
  EXPECT_EQ(world_.left_in_queue(), 100U);
  world_.recover_and_expect_everything_once();
  EXPECT_EQ(dead_letters(), 1U);
}

TEST_F(WindowStatesByMode, what_was_forwarded_and_not_marked_is_forwarded_again) {
  use_queue_with_dead_letters("dead-letter-queue");
  world_.send(100);
  kill_in(Phase::forwarded);
  EXPECT_EQ(dead_letters(), 1U);
  kill_in(Phase::forwarded);
  world_.recover_and_expect_everything_once();
  EXPECT_EQ(dead_letters(), 3U) << "at least once, and no more often than it was in doubt";
  EXPECT_EQ(world_.database().value("SELECT count(*) FROM sluice.rejected_message WHERE "
                                    "forwarded_at IS NULL"),
            "0");
}

TEST_F(WindowStatesByMode, what_is_left_in_the_queue_is_deleted_by_no_recovery) {
  use_queue_with_dead_letters("leave");
  world_.send(24);
  world_.send_body("no json");
  kill_in(Phase::between_deletes);
  const Outcome outcome = world_.run();
  world_.expect_good_end(outcome);
  EXPECT_EQ(outcome.count("received"), 0);
  EXPECT_EQ(outcome.count("deleted"), 24);
  EXPECT_TRUE(world_.windows_left().empty());
  EXPECT_EQ(world_.left_in_queue(), 1U);
  EXPECT_EQ(world_.database().value("SELECT count(*) FROM public.user_logins"), "24");
  EXPECT_EQ(world_.database().value("SELECT count(*) FROM sluice.rejected_message"), "0");
}

TEST_F(WindowStatesByMode, a_fifo_window_is_finished_from_wherever_it_was) {
  world_.use_queue({.name = "logins.fifo"});
  for (const Phase phase : {Phase::loading, Phase::committing, Phase::deleting}) {
    world_.send(10);
    kill_in(phase);
    world_.recover_and_expect_everything_once();
  }
}

}  // namespace
}  // namespace sluice
