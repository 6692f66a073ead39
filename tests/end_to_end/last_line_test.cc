// SPDX-License-Identifier: Apache-2.0
// A scheduler reads standard output and standard error as one, and takes the last line: it is the
// summary, however the run ended.
#include <algorithm>
#include <chrono>
#include <thread>

#include <signal.h>

#include "tests/end_to_end/scene.h"

namespace sluice {
namespace {

const std::vector<std::string> kBothTogether = {"sh", "-c", "exec \"$@\" 2>&1", "sh"};

class LastLine : public testing::Test {
 protected:
  LastLine() { world.answer_empty_polls_at_once(); }

  std::unique_ptr<Program> start(const std::vector<std::string>& flags = {}) {
    std::vector<std::string> words = {"--log-level", "debug", "--run-group", "täglich"};
    words.insert(words.end(), flags.begin(), flags.end());
    return world.start_run(words, kBothTogether);
  }
  void expect_summary_last(const Outcome& outcome, int status) {
    EXPECT_EQ(outcome.status, status) << outcome.out;
    EXPECT_EQ(outcome.err, "");
    const auto summary = outcome.summary();
    ASSERT_TRUE(summary.contains("run_id")) << outcome.out;
    EXPECT_EQ(summary.at("exit_code"), status) << outcome.out;
    EXPECT_TRUE(outcome.out.ends_with("}\n"));
    const std::string last =
        outcome.out.substr(outcome.out.rfind('\n', outcome.out.size() - 2) + 1);
    EXPECT_TRUE(std::ranges::all_of(last, [](char c) { return c > 0; })) << last;
    expect_books_add_up(summary);
  }

  LoginWorld world;
};

TEST_F(LastLine, is_the_summary_of_a_run_that_went_well_or_found_nothing) {
  world.send(100);
  expect_summary_last(start()->wait(), 0);
  expect_summary_last(start()->wait(), 0);
  expect_summary_last(start({"--skip-exit-code", "99"})->wait(), 99);
}

TEST_F(LastLine, is_the_summary_of_a_run_that_has_more_to_complain_of_than_it_can_record) {
  world.send(5);
  const auto gate = gate_before(world, "ReceiveMessage");
  const auto run = start(
      {"--summary-file", world.folder() + "/none/s", "--metrics-file", world.folder() + "/none/m"});
  ASSERT_TRUE(gate->wait_for_call());
  TestSession holder = world.database().session();
  holder.run("BEGIN; LOCK TABLE sluice.run IN EXCLUSIVE MODE");  // its end cannot be written
  gate->open();
  const Outcome outcome = run->wait();
  expect_summary_last(outcome, 0);
  for (const char* warning : {"none/s", "none/m", "run-not-recorded"}) {
    EXPECT_NE(outcome.out.find(warning), std::string::npos) << outcome.out;
  }
}

TEST_F(LastLine, is_the_summary_of_a_run_that_failed) {
  const Program::Variables good = world.variables();
  world.variables()["PGPORT"] = "1";
  expect_summary_last(start()->wait(), 75);
  world.variables() = good;
  world.variables()["PGPASSWORD"] = "of-somebody-else";
  expect_summary_last(start()->wait(), 77);
  world.variables() = good;
  world.variables()["SLUICE_CHECKPOINT"] = "relative.db";
  expect_summary_last(start()->wait(), 78);
}

TEST_F(LastLine, is_the_summary_of_a_run_that_was_stopped_once_or_twice) {
  for (const int times : {1, 2}) {
    world.send(5);
    TestSession holder = world.database().session();
    holder.run("BEGIN; LOCK TABLE public.user_logins");
    const auto run = start();
    wait_until_load_is_held(world);
    for (int i = 0; i < times; ++i) {
      run->signal(SIGTERM);
      std::this_thread::sleep_for(std::chrono::milliseconds(50));  // of two at once one is lost
    }
    expect_summary_last(run->wait(), 143);
    holder.run("ROLLBACK");
  }
  world.run_until_empty();
  world.expect_everything_once();
}

TEST_F(LastLine, goes_to_nobody_when_whoever_started_it_has_closed_what_it_reads) {
  for (const char* closed : {"2>&-", "<&- >&- 2>&-"}) {
    world.send(20);
    const std::string script = std::string(R"(exec "$@" )") + closed;
    const auto run = world.start_run({"--log-level", "debug"}, {"sh", "-c", script, "sh"});
    EXPECT_EQ(run->wait().status, 0) << closed;
    EXPECT_EQ(world.left_in_queue(), 0U) << closed;
  }
  world.expect_everything_once();
}

TEST(ReceiveCount, of_one_or_a_few_is_warned_of_before_anything_is_received) {
  for (const int most : {1, 4, 5}) {
    LoginWorld world;
    world.aws().sqs().add_queue({.name = "dead"});
    world.use_queue({.name = "logins", .max_receive_count = most, .dead_letter_queue = "dead"});
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"check"}, std::vector<std::string>{"run", "--dry-run"}}) {
      const Outcome outcome = world.call(command);
      EXPECT_EQ(outcome.status, 0) << outcome.err;
      const std::string all = outcome.out + outcome.err;
      EXPECT_EQ(all.find("maxReceiveCount is") != std::string::npos, most < 5) << all;
    }
  }
}

}  // namespace
}  // namespace sluice
