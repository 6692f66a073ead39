// SPDX-License-Identifier: Apache-2.0
// The wall clock of the host is wrong, or is set while a run is under way. Durations, leases and
// waits are measured on the other clock; signatures take that of AWS.
#include <algorithm>

#include "tests/end_to_end/scene.h"

namespace sluice {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kDayMs = 24 * kHourMs;
constexpr int kMessages = 20;

class WallClock : public testing::Test {
 protected:
  WallClock() {
    world.variables()["LD_PRELOAD"] = SLUICE_WALL_CLOCK;
    world.variables()["WALL_CLOCK_FILE"] = file();
    // Ours comes before its library, on purpose.
    world.variables()["ASAN_OPTIONS"] = "verify_asan_link_order=0";
    world.answer_empty_polls_at_once();
  }
  std::string file() const { return world.folder() + "/wall-clock"; }
  /// From now on the program's wall clock is off by this.
  void set_clock(std::int64_t off_ms) {
    write_text(file() + ".new", std::to_string(off_ms));
    std::filesystem::rename(file() + ".new", file());
  }

  /// A run whose load waits for `holder`. One receive at a time: an empty answer that overtook
  /// another would seal the window before it has all.
  std::unique_ptr<Program> start_held_run(TestSession& holder) {
    holder.run("BEGIN; LOCK TABLE public.user_logins");
    auto run = world.start_run({"--receivers", "1"});
    wait_until_load_is_held(world);
    return run;
  }
  /// A run that is killed while its window waits to be loaded.
  void leave_a_sealed_window() {
    world.send(kMessages);
    TestSession holder = world.database().session();
    const auto run = start_held_run(holder);
    run->kill();
    EXPECT_EQ(run->wait().status, 137);
  }

  /// What the wall clock must not touch.
  void expect_sane(const Outcome& outcome) {
    EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
    expect_books_add_up(outcome.summary());
    const double duration = outcome.summary().at("duration_s").to_number<double>();
    EXPECT_GE(duration, 0);
    EXPECT_LT(duration, 60);  // an hour would be the wall clock's
    const auto age = outcome.summary().at("oldest_message_age_s");
    EXPECT_TRUE(age.is_null() || age.to_number<double>() >= 0) << age;
    EXPECT_EQ(world.database().value("SELECT count(*) FROM sluice.run WHERE run_id = '" +
                                     std::string(outcome.summary().at("run_id").as_string()) +
                                     "' AND ended_at IS NOT NULL"),
              "1");
  }
  void expect_everything_once() {
    world.aws().take_problems();  // SQS refused signatures from another hour, as it should
    world.expect_everything_once();
  }

  LoginWorld world;
};

class WallClockOff : public WallClock, public testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(Days, WallClockOff, testing::Values(-20, -1, 1, 20), [](const auto& each) {
  return (each.param < 0 ? "behind_" : "ahead_") + std::to_string(std::abs(each.param));
});

TEST_P(WallClockOff, between_two_runs_a_window_left_behind_is_loaded) {
  leave_a_sealed_window();
  set_clock(GetParam() * kDayMs);
  const Outcome outcome = world.run();
  expect_sane(outcome);
  EXPECT_EQ(outcome.count("carried_in"), kMessages);
  EXPECT_EQ(outcome.count("loaded"), kMessages);
  EXPECT_EQ(outcome.count("received"), 0);
  EXPECT_EQ(outcome.err.find("window-set-aside"), std::string::npos) << outcome.err;
  expect_everything_once();
  set_clock(0);
  world.send(kMessages);
  expect_sane(world.run());
  expect_everything_once();
}

TEST_P(WallClockOff, from_the_start_everything_is_loaded) {
  set_clock(GetParam() * kDayMs);
  world.send(kMessages);
  const Outcome outcome = world.run();
  expect_sane(outcome);
  EXPECT_NE(outcome.err.find("clock-is-wrong"), std::string::npos) << outcome.err;
  expect_everything_once();
}

TEST_F(WallClock, that_is_behind_makes_no_window_young_that_the_ledger_has_forgotten) {
  const std::int64_t sent_ms = now().wall_ms - 16 * kDayMs;
  world.aws().sqs().with_queue(kLoginQueue, [&](SandboxQueue& queue, Now now) {
    queue.send({.body = login_body("long ago"), .sent_ms = sent_ms}, now);
  });
  TestSession holder = world.database().session();
  const auto run = start_held_run(holder);
  run->kill();
  EXPECT_EQ(run->wait().status, 137);
  holder.run("ROLLBACK");
  set_clock(-10 * kDayMs);
  const Outcome outcome = world.run();
  expect_sane(outcome);
  EXPECT_EQ(outcome.count("carried_out"), 1) << outcome.out;
  EXPECT_NE(outcome.err.find("window-set-aside"), std::string::npos) << outcome.err;
  EXPECT_EQ(world.database().value("SELECT count(*) FROM public.user_logins"), "0");
}

class WallClockSet : public WallClock, public testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(Hours, WallClockSet, testing::Values(-1, 1, -13, 13),
                         [](const auto& each) {
                           return (each.param < 0 ? "back_" : "forward_") +
                                  std::to_string(std::abs(each.param));
                         });

TEST_P(WallClockSet, in_the_middle_of_a_run_disturbs_neither_leases_nor_books) {
  world.send(kMessages);
  TestSession holder = world.database().session();
  const auto run = start_held_run(holder);
  set_clock(GetParam() * kHourMs);
  world.send(kMessages);  // a second window begins in the other time
  holder.run("ROLLBACK");
  expect_sane(run->wait());
  // A lease lasts two minutes: the only one is the question whether it may be extended.
  EXPECT_EQ(world.aws().calls()["ChangeMessageVisibilityBatch"], 1U);
  expect_everything_once();
}

}  // namespace
}  // namespace sluice
