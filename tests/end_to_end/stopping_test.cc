// SPDX-License-Identifier: Apache-2.0
// A run that is told to stop, wherever it is: it ends in under 5 s, nothing half done (promise G7).
#include <atomic>
#include <chrono>
#include <functional>
#include <iostream>
#include <thread>

#include <signal.h>

#include "job/pipeline/limits.h"
#include "tests/end_to_end/scene.h"

namespace sluice {
namespace {

using std::chrono::steady_clock;

/// Sends the signal, does `then`, and waits for the end, which must come in time and be an orderly
/// one.
Outcome stop(
    Program& run, int signal = SIGTERM, const std::function<void()>& then = [] {}) {
  const auto begin = steady_clock::now();
  run.signal(signal);
  then();
  const Outcome outcome = run.wait();
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(5));
  EXPECT_EQ(outcome.status, 128 + signal) << outcome.out << outcome.err;
  const auto summary = outcome.summary();
  EXPECT_EQ(summary.at("exit_code"), 128 + signal);
  EXPECT_EQ(summary.at("status"), "interrupted");
  EXPECT_EQ(summary.at("stop_reason"), "interrupted");
  expect_books_add_up(summary);
  return outcome;
}

/// Asks until it is so. Throws after half a minute: a test that hangs tells nothing.
template <typename Condition>
void wait_until(Condition condition) {
  const auto end = steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (steady_clock::now() > end) throw std::runtime_error("never true");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

/// From then on the signal waits for the thread that handles it: it no longer kills.
bool blocks(const Program& run, int signal) {
  std::istringstream lines(text_of("/proc/" + std::to_string(run.pid()) + "/status"));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("SigBlk:")) continue;
    return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1) != 0;
  }
  return false;
}

class Stopping : public testing::Test {
 protected:
  void SetUp() override {
    world.variables()["SLUICE_SUMMARY_FILE"] = world.folder() + "/summary.json";
  }
  /// The file says the same; sluice.run too.
  void expect_recorded(const Outcome& outcome) {
    EXPECT_EQ(boost::json::parse(text_of(world.folder() + "/summary.json")), outcome.summary());
    EXPECT_EQ(world.database().value("SELECT stop_reason FROM sluice.run WHERE run_id = '" +
                                     std::string(outcome.summary().at("run_id").as_string()) + "'"),
              "interrupted");
  }
  /// Leases are as the stopped run left them: only what it carried out may be hidden.
  void expect_only_carried_messages_hidden(const Outcome& outcome) {
    EXPECT_LE(static_cast<std::int64_t>(tally(world).in_flight), outcome.count("carried_out"));
  }
  void expect_the_next_run_finishes() {
    world.run_until_empty();
    world.expect_everything_once();
  }

  LoginWorld world{true, TestCluster::shared(), new_folder_in_memory()};
};

TEST_F(Stopping, in_an_idle_long_poll) {
  for (const int signal : {SIGTERM, SIGINT}) {
    const std::uint64_t before = world.aws().calls()["ReceiveMessage"];
    const auto run = world.start_run({"--wait-seconds", "20"});
    wait_until([&] { return world.aws().calls()["ReceiveMessage"] > before; });
    const Outcome outcome = stop(*run, signal);
    expect_recorded(outcome);
    EXPECT_EQ(outcome.count("received"), 0);
  }
  world.send(5);
  EXPECT_EQ(tally(world).visible, 5U);  // the abandoned poll takes nothing later
  expect_the_next_run_finishes();
}

TEST_F(Stopping, with_messages_in_hand) {
  world.send(50);
  const auto run = world.start_run({"--wait-seconds", "20"});
  wait_until([&] { return tally(world).in_flight == 50; });
  const Outcome outcome = stop(*run);
  expect_recorded(outcome);
  expect_only_carried_messages_hidden(outcome);
  expect_the_next_run_finishes();
}

TEST_F(Stopping, while_a_load_waits_for_a_lock) {
  TestSession holder = world.database().session();
  holder.run("BEGIN; LOCK TABLE public.user_logins IN ACCESS EXCLUSIVE MODE");
  world.send(50);
  const auto run = world.start_run({"--window-messages", "50"});
  wait_until_load_is_held(world);
  const Outcome outcome = stop(*run);
  expect_recorded(outcome);
  expect_only_carried_messages_hidden(outcome);
  EXPECT_EQ(outcome.count("carried_out"), 50);
  holder.run("ROLLBACK");
  EXPECT_EQ(world.database().value("SELECT count(*) FROM public.user_logins"), "0");
  const Outcome next = world.run({"--empty-polls", "1"});
  EXPECT_EQ(next.status, 0) << next.err;
  EXPECT_EQ(next.count("carried_in"), 50);
  expect_the_next_run_finishes();
}

/// A call takes 20 ms, and so does each of the hundreds that give messages back.
TEST_F(Stopping, with_32_receives_and_a_copy_under_way_and_thousands_in_hand) {
  constexpr std::size_t kReceives = 32;
  constexpr std::size_t kWindow = 6'000;
  constexpr std::size_t kTaken = kWindow + 4'500;  // up to 5,000 of a window are unstaged
  constexpr std::chrono::milliseconds kAway{20};
  std::atomic<std::size_t> held = 0;
  const auto gate = std::make_shared<SandboxGate>();
  world.aws().faults().add(
      {.on = "ReceiveMessage",
       .when = [&](const auto&) { return tally(world).deliveries >= kTaken && ++held > 0; },
       .fault = {.delay = kAway, .gate = gate}});
  world.aws().faults().add({.fault = {.delay = kAway}});
  TestSession holder = world.database().session();
  holder.run("BEGIN; LOCK TABLE public.user_logins IN ACCESS EXCLUSIVE MODE");
  world.send(2 * kWindow);
  const auto run = world.start_run(
      {"--window-messages", std::to_string(kWindow), "--receivers", std::to_string(kReceives)});
  wait_until([&] { return held == kReceives; });
  world.database().wait_until(
      "EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND "
      "wait_event_type = 'Lock' AND query LIKE 'COPY \"public\"%')");
  const Outcome outcome = stop(*run, SIGTERM, [&] { gate->open(); });
  expect_recorded(outcome);
  expect_only_carried_messages_hidden(outcome);
  EXPECT_EQ(outcome.count("received"), outcome.count("returned") + outcome.count("carried_out"));
  EXPECT_GE(outcome.count("returned"), std::int64_t{kBatch * kReceives});  // what came too late
  EXPECT_GE(outcome.count("carried_out"), std::int64_t{kWindow});
  std::cout << outcome.count("returned") << " given back\n";
  holder.run("ROLLBACK");
  world.aws().faults().clear();
  expect_the_next_run_finishes();
}

TEST_F(Stopping, between_commit_and_delete) {
  world.send(50);
  const auto gate = gate_before(world, "DeleteMessageBatch", 2);  // the first proves the right
  const auto run = world.start_run({"--window-messages", "50"});
  ASSERT_TRUE(gate->wait_for_call());
  const Outcome outcome = stop(*run);
  world.aws().faults().clear();
  EXPECT_EQ(outcome.count("loaded") + outcome.count("rejected"), 50);
  EXPECT_EQ(outcome.count("carried_out"), 0);
  const Outcome next = world.run({"--empty-polls", "1"});
  EXPECT_EQ(next.status, 0) << next.err;
  EXPECT_EQ(next.count("received"), 0);
  world.expect_everything_once();
}

TEST_F(Stopping, before_anything_is_held) {
  world.send(5);
  const auto gate = gate_before(world, "GetQueueAttributes");
  const auto run = world.start_run();
  ASSERT_TRUE(gate->wait_for_call());
  const Outcome outcome = stop(*run);
  world.aws().faults().clear();
  EXPECT_EQ(boost::json::parse(text_of(world.folder() + "/summary.json")), outcome.summary());
  EXPECT_EQ(tally(world).deliveries, 0U);
  expect_the_next_run_finishes();
}

TEST_F(Stopping, while_it_waits_a_random_time_for_its_start) {
  const auto run = world.start_run({"--start-jitter", "1h"});
  wait_until([&] { return blocks(*run, SIGTERM); });
  stop(*run);
}

TEST_F(Stopping, a_second_signal_ends_it_where_it_is) {
  world.send(50);
  TestSession holder = world.database().session();
  const auto gate = gate_before(world, "ChangeMessageVisibilityBatch", 2);
  const auto run = world.start_run({"--wait-seconds", "20"});
  wait_until([&] { return tally(world).in_flight == 50; });
  run->signal(SIGTERM);
  ASSERT_TRUE(gate->wait_for_call());  // it gives its messages back, and that hangs
  const auto begin = steady_clock::now();
  run->signal(SIGTERM);
  const Outcome outcome = run->wait();
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(3));
  EXPECT_EQ(outcome.status, 143) << outcome.err;
  EXPECT_EQ(outcome.summary().at("stop_reason"), "interrupted");
  expect_books_add_up(outcome.summary());
  world.aws().faults().clear();
  expect_the_next_run_finishes();
}

TEST_F(Stopping, a_reader_of_its_output_that_went_away_does_not) {
  world.send(50);
  const auto run =
      world.start_run({"--log-level", "debug"}, {"sh", "-c", "\"$@\" 2>&1 | true", "sh"});
  run->wait();
  world.expect_everything_once();
  EXPECT_EQ(world.database().value("SELECT exit_code FROM sluice.run"), "0");
}

}  // namespace
}  // namespace sluice
