// SPDX-License-Identifier: Apache-2.0
// A signal in each phase of a run, from its first question to the record of its end. The stops of
// tests/end_to_end/stopping_test.cc are told apart by what was asked of the run; these by where it
// stands.
#include <chrono>
#include <thread>

#include <gtest/gtest.h>
#include <signal.h>

#include "tests/crash/hold.h"

namespace sluice {
namespace {

using std::chrono::steady_clock;

constexpr int kMessages = 25;    // their deletes are three
constexpr int kWithAFlaw = 100;  // one of so many is bad
constexpr char kDead[] = "dead";

class StopInEachPhase : public testing::TestWithParam<Phase> {
 protected:
  StopInEachPhase() {
    world_.aws().sqs().add_queue({.name = kDead});
    world_.use_queue({.name = "logins", .max_receive_count = 9, .dead_letter_queue = kDead});
    world_.variables()["SLUICE_WINDOW_MESSAGES"] = "120";
    world_.variables()["SLUICE_RECEIVERS"] = "1";
    world_.variables()["SLUICE_SUMMARY_FILE"] = world_.folder() + "/summary.json";
    if (GetParam() == Phase::forwarding)
      world_.variables()["SLUICE_REJECTIONS"] = "dead-letter-queue";
  }

  /// A run that stands in the phase gets the signals; with it, whatever held it goes on afterwards.
  Outcome stop(const std::vector<int>& signals) {
    const Phase phase = GetParam();
    if (phase != Phase::idle) world_.send(phase == Phase::forwarding ? kWithAFlaw : kMessages);
    Hold hold(world_, phase);
    const auto run = world_.start_run({}, hold.before());
    while (!hold.is_reached()) {
      if (run->has_ended()) throw std::runtime_error("it was not held: " + run->wait().err);
    }
    const auto begin = steady_clock::now();
    for (const int signal : signals) {
      run->signal(signal);
      // The second must find the first one taken: of two that are pending at once one is lost.
      if (signals.size() > 1) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    Outcome outcome = run->wait();
    took_ = steady_clock::now() - begin;
    visible_ = world_.tally().visible;
    return outcome;
  }

  /// Its status and its summary say the same; what it holds no more is visible.
  void expect_stopped(const Outcome& outcome, int signal) {
    // Once its end is recorded it has ended, and not by the signal.
    const bool was_over = GetParam() == Phase::recording_end;
    EXPECT_EQ(outcome.status, was_over ? 0 : 128 + signal) << outcome.out << outcome.err;
    const auto summary = outcome.summary();
    ASSERT_TRUE(summary.contains("exit_code")) << outcome.out << outcome.err;
    EXPECT_EQ(summary.at("exit_code"), outcome.status);
    EXPECT_EQ(summary.at("stop_reason"), was_over ? "drained" : "interrupted");
    EXPECT_EQ(outcome.count("received") + outcome.count("carried_in"),
              outcome.count("loaded") + outcome.count("duplicate") + outcome.count("rejected") +
                  outcome.count("returned") + outcome.count("carried_out"))
        << outcome.out;
    // Orderly, it gives back at once what it received and did not stage.
    if (signal == SIGTERM) {
      EXPECT_GE(visible_, static_cast<std::size_t>(outcome.count("returned"))) << outcome.out;
    }
  }
  void expect_the_next_run_finishes() {
    world_.run_until_empty();
    world_.expect_everything_once();
  }

  CrashWorld world_{TestCluster::shared(), new_folder_in_memory()};
  steady_clock::duration took_{};
  std::size_t visible_ = 0;  // at the end of the run
};

constexpr std::array kPhases = {
    Phase::checking_queue, Phase::checking_postgres, Phase::recording_start,
    Phase::idle,           Phase::in_hand,           Phase::staging,
    Phase::open,           Phase::loading,           Phase::committing,
    Phase::forwarding,     Phase::deleting,          Phase::between_deletes,
    Phase::deleted,        Phase::recording_end};
INSTANTIATE_TEST_SUITE_P(Stop, StopInEachPhase, testing::ValuesIn(kPhases),
                         [](const auto& each) { return std::string(name_of(each.param)); });

TEST_P(StopInEachPhase, sigterm_ends_it_in_order_and_the_next_run_finishes) {
  const Outcome outcome = stop({SIGTERM});
  EXPECT_LT(took_, std::chrono::seconds(5));
  expect_stopped(outcome, SIGTERM);
  expect_the_next_run_finishes();
}

TEST_P(StopInEachPhase, a_second_signal_ends_it_at_once_and_the_next_run_finishes) {
  const Outcome outcome = stop({SIGINT, SIGINT});
  expect_stopped(outcome, SIGINT);
  expect_the_next_run_finishes();
}

TEST_P(StopInEachPhase, sigkill_leaves_what_the_next_run_finishes) {
  EXPECT_EQ(stop({SIGKILL}).status, 137);
  expect_the_next_run_finishes();
}

}  // namespace
}  // namespace sluice
