// SPDX-License-Identifier: Apache-2.0
// Under a parent that behaves as Airflow's BashOperator, well and badly: the last line is the
// summary, SIGTERM is obeyed before the SIGKILL that follows it 5 s later, and whatever becomes of
// parent, pipe and directory, the next run finds every message once.
#include "tests/schedulers/bash_operator.h"

#include <array>
#include <chrono>
#include <tuple>

#include "tests/end_to_end/scene.h"
#include "tests/schedulers/wait_until.h"

namespace sluice {
namespace {

using std::chrono::steady_clock;

constexpr int kMessages = 25;

/// The last line of the merged output: what becomes the XCom.
std::string last_line(const Outcome& outcome) {
  const std::size_t end = outcome.out.find_last_not_of('\n') + 1;
  const std::size_t begin = outcome.out.find_last_of('\n', end - 1) + 1;
  return outcome.out.substr(begin, end - begin);
}

class UnderBashOperator : public testing::Test {
 protected:
  UnderBashOperator() {
    world.variables()["AIRFLOW_CTX_DAG_RUN_ID"] = "scheduled__2026-11-20T10:00:00+00:00";
    world.variables()["SLUICE_RECEIVERS"] = "1";
  }

  std::unique_ptr<BashOperator> start(const std::string& flags = "") {
    return std::make_unique<BashOperator>("exec sluice run --json " + flags, world.variables());
  }
  void expect_summary_last(const Outcome& outcome, int status) {
    EXPECT_EQ(outcome.status, status) << outcome.out;
    EXPECT_TRUE(outcome.out.ends_with("}\n")) << outcome.out;
    const auto summary = outcome.summary();
    ASSERT_TRUE(summary.contains("run_id")) << outcome.out;
    EXPECT_EQ(summary.at("exit_code"), status);
    EXPECT_EQ(summary.at("run_group"), "scheduled__2026-11-20T10:00:00+00:00");
    expect_books_add_up(summary);
  }
  void expect_the_next_run_finishes() {
    world.answer_empty_polls_at_once();
    world.run_until_empty();
    world.expect_everything_once();
  }

  LoginWorld world{true, TestCluster::shared(), new_folder_in_memory()};
};

TEST_F(UnderBashOperator, the_last_line_is_the_summary_of_a_run_that_went_well_or_found_nothing) {
  world.answer_empty_polls_at_once();
  world.send(kMessages);
  expect_summary_last(start()->wait(), 0);
  expect_summary_last(start("--skip-exit-code 99")->wait(), 99);
  world.expect_everything_once();
}

TEST_F(UnderBashOperator, the_last_line_is_the_summary_of_a_run_with_a_wrong_key) {
  write_text(world.keyring(), R"({"version":1,"current":"none","keys":[]})");
  const Outcome outcome = start()->wait();
  expect_summary_last(outcome, 78);
  EXPECT_NE(outcome.out.find("keyring"), std::string::npos);
}

TEST_F(UnderBashOperator, the_last_line_of_a_wrong_command_says_what_is_wrong) {
  const Outcome outcome = start("--max-runtme 50m")->wait();
  EXPECT_EQ(outcome.status, 64);
  const auto line = boost::json::parse(last_line(outcome)).as_object();
  EXPECT_EQ(line.at("event"), "usage");
  EXPECT_NE(line.at("message").as_string().find("'max-runtime'"), std::string::npos) << line;
}

TEST_F(UnderBashOperator, the_working_directory_may_go_while_it_runs) {
  world.send(kMessages);
  const auto gate = gate_before(world, "ReceiveMessage");
  const auto run = start("--empty-polls 1");
  ASSERT_TRUE(gate->wait_for_call());
  run->delete_working_directory();
  gate->open();
  expect_summary_last(run->wait(), 0);
  world.expect_everything_once();
}

TEST_F(UnderBashOperator, an_orphan_ends_its_work_and_a_retry_beside_it_is_told_to_wait) {
  world.send(kMessages);
  const auto gate = gate_before(world, "DeleteMessageBatch", 2);  // the first proves the right
  const auto orphan = start("--empty-polls 1");
  ASSERT_TRUE(gate->wait_for_call());
  orphan->close_pipe();
  const Outcome retry = start()->wait();
  expect_summary_last(retry, 75);
  EXPECT_NE(retry.out.find("process " + std::to_string(orphan->pid())), std::string::npos)
      << retry.out;
  gate->open();
  EXPECT_EQ(orphan->wait().status, 0);
  world.expect_everything_once();
}

TEST_F(UnderBashOperator, a_parent_that_stops_reading_holds_up_no_message) {
  const auto gate = gate_before(world, "ReceiveMessage");
  const auto run = start("--empty-polls 1");
  ASSERT_TRUE(gate->wait_for_call());
  run->stop_reading();
  world.send(kMessages);
  gate->open();
  wait_until([this] { return world.left_in_queue() == 0; });
  world.expect_everything_once();
  run->read_on();
  expect_summary_last(run->wait(), 0);
}

enum class Stand { checking, idle, in_hand, loading, deleting };

/// How a parent ends a run.
struct Ending {
  const char* name;
  void (*act)(BashOperator& run);
  bool reads;  // the last line, afterwards
};

constexpr std::array kEndings = {
    Ending{"terminates", [](BashOperator& run) { run.terminate(); }, true},
    Ending{"terminates_and_is_killed",
           [](BashOperator& run) {
             run.terminate();
             run.close_pipe();
           },
           false},
    Ending{"was_killed_before_it_terminates",
           [](BashOperator& run) {
             run.close_pipe();
             run.terminate();
           },
           false},
    Ending{"terminates_what_it_no_longer_reads",
           [](BashOperator& run) {
             run.stop_reading();
             run.terminate();
           },
           false},
};

constexpr std::array kStands = {Stand::checking, Stand::idle, Stand::in_hand, Stand::loading,
                                Stand::deleting};

class Ends : public UnderBashOperator,
             public testing::WithParamInterface<std::tuple<Stand, Ending>> {
 public:
  static std::string name(const testing::TestParamInfo<ParamType>& info) {
    constexpr std::array kNames = {"checking", "idle", "in_hand", "loading", "deleting"};
    const auto& [stand, ending] = info.param;
    return std::string(kNames[static_cast<std::size_t>(stand)]) + "_" + ending.name;
  }

 protected:
  std::unique_ptr<BashOperator> start_and_reach(Stand stand) {
    if (stand != Stand::idle) world.send(kMessages);
    switch (stand) {
      case Stand::checking:
        return start_and_reach("GetQueueAttributes", 1);
      case Stand::deleting:
        return start_and_reach("DeleteMessageBatch", 2);  // the first proves the right
      case Stand::loading:
        holder_.run("BEGIN; LOCK TABLE public.user_logins IN ACCESS EXCLUSIVE MODE");
        return start_and_reach([this] {
          return world.database().value(
                     "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                     "datname = current_database()") != "0";
        });
      case Stand::in_hand:
        return start_and_reach([this] { return world.tally().in_flight == kMessages; }, "10000");
      case Stand::idle:
        return start_and_reach([this] { return world.aws().calls()["ReceiveMessage"] > 0; });
    }
    return nullptr;
  }
  void let_go() {
    world.aws().faults().clear();
    holder_.run("ROLLBACK");
  }

 private:
  std::unique_ptr<BashOperator> start_and_reach(const std::string& operation, int call) {
    const auto gate = gate_before(world, operation, call);
    auto run = start("--window-messages 25");
    if (!gate->wait_for_call()) throw std::runtime_error("no " + operation);
    return run;
  }
  template <typename Condition>
  std::unique_ptr<BashOperator> start_and_reach(Condition condition,
                                                const std::string& window_messages = "25") {
    auto run = start("--wait-seconds 20 --window-messages " + window_messages);
    wait_until([&] {
      if (run->has_ended()) throw std::runtime_error("it ended: " + run->wait().out);
      return condition();
    });
    return run;
  }

  TestSession holder_ = world.database().session();
};

INSTANTIATE_TEST_SUITE_P(UnderBashOperator, Ends,
                         testing::Combine(testing::ValuesIn(kStands), testing::ValuesIn(kEndings)),
                         &Ends::name);

TEST_P(Ends, before_the_sigkill_that_follows_in_5_s_and_the_next_run_finishes) {
  const auto& [stand, ending] = GetParam();
  const auto run = start_and_reach(stand);
  const auto begin = steady_clock::now();
  ending.act(*run);
  const Outcome outcome = run->wait();
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(5));
  EXPECT_EQ(outcome.status, 143) << outcome.out;
  if (ending.reads) expect_summary_last(outcome, 143);
  let_go();
  expect_the_next_run_finishes();
}

}  // namespace
}  // namespace sluice
