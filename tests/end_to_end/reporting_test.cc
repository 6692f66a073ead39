// SPDX-License-Identifier: Apache-2.0
// What a run tells, and to whom: summary, report, log, metrics, status, help.
#include <algorithm>
#include <set>

#include <fcntl.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include "job/cli/command.h"
#include "job/config/options.h"
#include "job/pipeline/books.h"
#include "tests/end_to_end/scene.h"
#include "tests/support/metric.h"

namespace sluice {
namespace {

std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of('\n');
  const std::size_t begin = text.rfind('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1, end - begin);
}

std::set<std::string> keys_of(const boost::json::value& object) {
  std::set<std::string> keys;
  for (const auto& each : object.as_object()) keys.insert(std::string(each.key()));
  return keys;
}

void expect_contains(const std::set<std::string>& all, const std::set<std::string>& wanted) {
  EXPECT_TRUE(std::ranges::includes(all, wanted));
}

void expect_log_and_metrics_agree(LoginWorld& world, const Outcome& outcome) {
  const auto summary = outcome.summary();
  const auto ended = boost::json::parse(last_line(outcome.err)).as_object();
  const std::string metrics = text_of(world.folder() + "/metrics.prom");
  EXPECT_EQ(ended.at("event"), "ended");
  for (const char* field : {"run_id", "worker", "status", "stop_reason", "exit_code"}) {
    EXPECT_EQ(ended.at(field), summary.at(field)) << field;
  }
  EXPECT_EQ(metric(metrics, "sluice_last_exit_code"), std::to_string(outcome.status));
  const std::string reason(summary.at("stop_reason").as_string());
  EXPECT_EQ(metric(metrics, "sluice_run_stop_reason", ",reason=\"" + reason + "\""), "1");
  for (const Count& count : kCounts) {
    const std::string name(count.name);
    EXPECT_EQ(ended.at(name), summary.at("counts").at(name)) << name;
    EXPECT_EQ(metric(metrics, "sluice_run_messages", ",result=\"" + name + "\""),
              std::to_string(outcome.count(name)));
  }
}

/// The same on standard output, in the file, the log and the metrics, and in sluice.run if that
/// could be reached.
void expect_told_everywhere(LoginWorld& world, const Outcome& outcome, bool recorded) {
  const auto summary = outcome.summary();
  ASSERT_TRUE(summary.contains("run_id")) << outcome.out << outcome.err;
  EXPECT_EQ(text_of(world.folder() + "/summary.json"), last_line(outcome.out) + "\n");
  EXPECT_EQ(summary.at("exit_code"), outcome.status);
  expect_books_add_up(summary);
  expect_log_and_metrics_agree(world, outcome);
  if (!recorded) return;
  const auto rows = world.database().rows(
      "SELECT summary::text, exit_code, stop_reason, ended_at IS NOT NULL FROM sluice.run "
      "WHERE run_id = '" +
      std::string(summary.at("run_id").as_string()) + "'");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(boost::json::parse(rows[0][0]), summary);
  EXPECT_EQ(rows[0][1], std::to_string(outcome.status));
  EXPECT_EQ(rows[0][2], summary.at("stop_reason").as_string());
  EXPECT_EQ(rows[0][3], "t");
}

class Reporting : public testing::Test {
 protected:
  void SetUp() override {
    world.variables()["SLUICE_SUMMARY_FILE"] = world.folder() + "/summary.json";
    world.variables()["SLUICE_METRICS_FILE"] = world.folder() + "/metrics.prom";
    world.variables()["SLUICE_EMPTY_POLLS"] = "1";
  }
  LoginWorld world;
};

TEST_F(Reporting, the_summary_is_whole_and_the_same_everywhere) {
  world.send(200);
  world.send_body("{");
  const Outcome outcome = world.run({"--run-group", "nightly \u00e9\u2603"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  expect_told_everywhere(world, outcome, true);
  const auto summary = outcome.summary();
  expect_contains(keys_of(summary), {"schema_version",
                                     "run_id",
                                     "run_group",
                                     "worker",
                                     "pipeline",
                                     "status",
                                     "stop_reason",
                                     "exit_code",
                                     "started_at",
                                     "ended_at",
                                     "duration_s",
                                     "counts",
                                     "oldest_message_age_s",
                                     "watermark",
                                     "queue_after",
                                     "error",
                                     "version",
                                     "config_sha256",
                                     "source",
                                     "trace_id",
                                     "stages",
                                     "bytes",
                                     "masked_values",
                                     "unmapped_fields",
                                     "retries"});
  expect_contains(keys_of(summary.at("counts")),
                  {"received", "carried_in", "loaded", "duplicate", "rejected", "returned",
                   "carried_out", "deleted", "delete_failed", "rows", "windows", "sqs_requests"});
  EXPECT_EQ(summary.at("schema_version"), 1);
  EXPECT_EQ(summary.at("run_group"), "nightly \u00e9\u2603");
  EXPECT_EQ(summary.at("worker"), "one");
  EXPECT_EQ(summary.at("pipeline"), "user_logins");
  EXPECT_EQ(summary.at("status"), "rejections");
  EXPECT_EQ(outcome.count("received"), 201);
  EXPECT_EQ(outcome.count("deleted"), 201);
  EXPECT_TRUE(summary.at("error").is_null());
  EXPECT_TRUE(summary.at("watermark").is_string());
  EXPECT_TRUE(summary.at("oldest_message_age_s").is_number());
  expect_contains(keys_of(summary.at("queue_after")), {"visible", "in_flight", "delayed"});
  EXPECT_TRUE(std::ranges::all_of(outcome.out, [](char c) { return c > 0; }));
  EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 1);
  for (const char* operation : {"ReceiveMessage", "DeleteMessageBatch"}) {
    EXPECT_GT(summary.at("counts").at("sqs_requests").at(operation).to_number<int>(), 0);
  }
}

TEST_F(Reporting, a_run_that_never_began_has_a_summary_too) {
  world.variables()["PGPASSWORD"] = "of-somebody-else";
  const Outcome rights = world.run();
  EXPECT_EQ(rights.status, 77);
  expect_told_everywhere(world, rights, false);
  const auto error = rights.summary().at("error").as_object();
  EXPECT_EQ(error.at("fault"), "rights");
  EXPECT_FALSE(error.at("hint").as_string().empty());
  EXPECT_TRUE(rights.summary().at("queue_after").is_null());

  world.variables()["SLUICE_KEYRING"] = world.folder() + "/none.json";
  const Outcome configuration = world.run();
  EXPECT_EQ(configuration.status, 78);
  expect_told_everywhere(world, configuration, false);
  EXPECT_EQ(configuration.summary().at("error").at("fault"), "configuration");
}

TEST_F(Reporting, a_usage_error_has_no_summary_because_there_was_no_run) {
  const Outcome outcome = world.run({"--receivers", "0"});
  EXPECT_EQ(outcome.status, 64);
  EXPECT_EQ(outcome.out, "");
  EXPECT_FALSE(std::filesystem::exists(world.folder() + "/summary.json"));
}

TEST_F(Reporting, a_run_that_fails_in_its_middle_is_recorded) {
  world.send(20);
  world.aws().faults().add(
      {.on = "ReceiveMessage", .fault = {.status = 403, .code = "AccessDeniedException"}});
  const Outcome outcome = world.run();
  EXPECT_EQ(outcome.status, 77) << outcome.err;
  expect_told_everywhere(world, outcome, true);
  EXPECT_EQ(outcome.summary().at("stop_reason"), "error");
}

TEST_F(Reporting, a_run_that_is_stopped_tells_the_same_everywhere) {
  world.send(300);
  const int call = 2;  // the first only asks whether it may
  const auto gate = gate_before(world, "DeleteMessageBatch", call);
  const auto run = world.start_run();
  ASSERT_TRUE(gate->wait_for_call());
  run->signal(SIGTERM);
  gate->open();
  const Outcome outcome = run->wait();
  EXPECT_EQ(outcome.status, 143) << outcome.err;
  expect_told_everywhere(world, outcome, true);
  EXPECT_EQ(outcome.summary().at("status"), "interrupted");
}

TEST_F(Reporting, a_file_that_cannot_be_written_changes_no_exit_status) {
  world.send(5);
  const Outcome outcome = world.run({"--summary-file", world.folder() + "/none/summary.json",
                                     "--metrics-file", world.folder() + "/none/metrics"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("none/summary.json"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("none/metrics"), std::string::npos) << outcome.err;
}

TEST_F(Reporting, without_json_the_report_is_text) {
  world.send(10);
  const Outcome outcome = world.call({"run"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  for (const char* word : {"received", "loaded", "rejected", "deleted", "public.user_logins"}) {
    EXPECT_NE(outcome.out.find(word), std::string::npos) << outcome.out;
  }
  EXPECT_TRUE(outcome.summary().empty());
}

TEST_F(Reporting, a_quiet_run_that_goes_well_says_nothing) {
  world.send(10);
  const Outcome outcome = world.call({"run", "--quiet"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out + outcome.err, "");
  world.expect_everything_once();
}

TEST_F(Reporting, a_quiet_run_that_fails_says_why) {
  world.variables()["SLUICE_KEYRING"] = world.folder() + "/none.json";
  const Outcome outcome = world.call({"run", "--quiet"});
  EXPECT_EQ(outcome.status, 78);
  EXPECT_EQ(errors_in(outcome.err).size(), 1U) << outcome.err;
}

TEST_F(Reporting, log_lines_are_json_with_the_run_they_belong_to) {
  world.send(10);
  const Outcome outcome = world.run({"--log-level", "debug", "--run-group", "nightly"});
  std::istringstream lines(outcome.err);
  int seen = 0;
  for (std::string line; std::getline(lines, line); ++seen) {
    const auto value = boost::json::parse(line);
    expect_contains(keys_of(value), {"ts", "level", "event", "message"});
    EXPECT_EQ(value.at("run_id"), outcome.summary().at("run_id")) << line;
    EXPECT_EQ(value.at("run_group"), "nightly") << line;
  }
  EXPECT_GT(seen, 0);
  world.variables()["SLUICE_KEYRING"] = world.folder() + "/none.json";
  const Outcome text = world.run({"--log-format", "text"});
  EXPECT_TRUE(text.err.starts_with("sluice: ")) << text.err;
  EXPECT_NE(text.err.find("\nhint: "), std::string::npos) << text.err;
}

/// What a user sees who starts it by hand.
std::string on_terminal(const LoginWorld& world, const std::vector<std::string>& words,
                        const Program::Variables& variables) {
  int terminal = -1;
  const pid_t pid = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  if (pid == 0) {
    std::vector<std::string> all = {std::getenv("SLUICE_BINARY")};
    all.insert(all.end(), words.begin(), words.end());
    std::vector<char*> pointers;
    for (std::string& word : all) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    ::clearenv();
    for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
    if (::chdir(world.folder().c_str()) != 0) ::_exit(126);
    ::execv(pointers[0], pointers.data());
    ::_exit(127);
  }
  std::string seen;
  char buffer[4096];
  // EIO: the other end is closed.
  for (ssize_t got = 0; (got = ::read(terminal, buffer, sizeof buffer)) > 0;) {
    seen.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(terminal);
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0) << seen;
  return seen;
}

TEST_F(Reporting, on_a_terminal_there_is_one_live_line_and_then_the_report) {
  world.send(100);
  Program::Variables variables = world.variables();
  variables["SLUICE_LOG_LEVEL"] = "info";
  const std::string seen = on_terminal(world, {"run"}, variables);
  const std::string clear_line = "\r\x1b[2K";
  EXPECT_NE(seen.find(clear_line + "received "), std::string::npos) << seen;
  const std::size_t cleared = seen.rfind(clear_line);
  ASSERT_NE(cleared, std::string::npos);
  // Whatever was live is wiped away before the report.
  EXPECT_TRUE(seen.substr(cleared + clear_line.size()).starts_with("run ")) << seen;
  EXPECT_NE(seen.find("loaded", cleared), std::string::npos);
  EXPECT_EQ(seen.find("{\""), std::string::npos) << seen;
}

TEST_F(Reporting, the_metrics_file_is_what_a_textfile_collector_takes) {
  world.send(20);
  const std::string path = world.folder() + "/sluice.prom";
  EXPECT_EQ(world.run({"--metrics-file", path}).status, 0);
  std::istringstream lines(text_of(path));
  std::set<std::string> described;
  int samples = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) described.insert(line.substr(7, line.rfind(' ') - 7));
    if (line.starts_with("#")) continue;
    ++samples;
    const std::size_t labels = line.find('{');
    const std::size_t end = line.rfind("} ");
    ASSERT_NE(end, std::string::npos) << line;
    EXPECT_TRUE(described.contains(line.substr(0, labels))) << line;
    // A collector refuses a sample that brings its own time.
    EXPECT_EQ(line.find(' ', end + 2), std::string::npos) << line;
  }
  EXPECT_GT(samples, 10);
  const std::string all = text_of(path);
  EXPECT_NE(all.find("sluice_last_exit_code{pipeline=\"user_logins\",worker=\"one\"} 0\n"),
            std::string::npos);
  EXPECT_NE(all.find("result=\"received\"} 20\n"), std::string::npos) << all;
}

TEST_F(Reporting, status_shows_runs_rejections_and_the_queue) {
  world.send(50);
  world.send_body("{");
  EXPECT_EQ(world.run().status, 0);
  world.send(3);
  const Outcome outcome = world.call({"status", "--json"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const auto status = outcome.summary();
  ASSERT_EQ(status.at("runs").as_array().size(), 1U) << status;
  const auto& run = status.at("runs").at(0);
  EXPECT_EQ(run.at("exit_code"), 0);
  EXPECT_EQ(run.at("counts").at("received"), 51);
  EXPECT_EQ(status.at("queue").at("visible"), 3);
  EXPECT_GE(status.at("rejections").as_array().size(), 1U);
  const Outcome text = world.call({"status"});
  EXPECT_EQ(text.status, 0);
  EXPECT_NE(text.out.find("not-json"), std::string::npos) << text.out;

  world.variables()["AWS_SECRET_ACCESS_KEY"] = "of-somebody-else";
  const Outcome blind = world.call({"status", "--json"});
  EXPECT_EQ(blind.status, 0) << blind.err;
  EXPECT_TRUE(blind.summary().at("queue").is_null());
  world.aws().take_problems();
}

TEST_F(Reporting, check_tells_what_is_right_and_what_is_wrong) {
  world.send(3);
  const Outcome good = world.call({"check", "--json"});
  EXPECT_EQ(good.status, 0) << good.out;
  const auto fine = good.summary();
  for (const auto& finding : fine.at("findings").as_array()) {
    EXPECT_EQ(finding.at("ok"), true) << finding;
  }
  world.database().run(
      "ALTER TABLE public.user_logins DROP COLUMN locale, DROP COLUMN app_version");
  const Outcome bad = world.call({"check", "--json"});
  EXPECT_EQ(bad.status, 78);
  EXPECT_EQ(bad.summary().at("exit_code"), 78);
  int faults = 0;
  const auto wrong = bad.summary();
  for (const auto& finding : wrong.at("findings").as_array()) {
    if (finding.at("ok").as_bool()) continue;
    ++faults;
    EXPECT_FALSE(finding.at("hint").as_string().empty()) << finding;
  }
  EXPECT_EQ(faults, 2);  // all of them, not the first alone
  EXPECT_EQ(tally(world).deliveries, 0U);
}

TEST_F(Reporting, show_config_tells_where_each_value_came_from) {
  write_text(world.folder() + "/sluice.conf", "receivers = 7\nmax-messages = 5\n");
  world.variables()["SLUICE_POSTGRES"] = "host=127.0.0.1 password=hunter2";
  const Outcome outcome = world.call({"check", "--json", "--show-config", "--config",
                                      world.folder() + "/sluice.conf", "--worker", "two"});
  const auto config = outcome.summary().at("config").as_object();
  EXPECT_EQ(config.at("worker").at("value"), "two");
  EXPECT_EQ(config.at("worker").at("origin"), "--worker");
  EXPECT_EQ(config.at("pipeline").at("origin"), "SLUICE_PIPELINE");
  EXPECT_EQ(config.at("dedup-days").at("origin"), "default");
  EXPECT_EQ((outcome.out + outcome.err).find("hunter2"), std::string::npos);
}

TEST_F(Reporting, a_dry_run_looks_at_everything_and_receives_nothing) {
  world.send(3);
  const Outcome outcome = world.run({"--dry-run"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.count("received"), 0);
  EXPECT_EQ(tally(world).deliveries, 0U);
}

TEST(ReportingHelp, every_command_lists_its_options_and_needs_nothing_for_it) {
  const LoginWorld world(false);
  const auto call = [&](const std::vector<std::string>& words) {
    return Program(world.folder(), words, {}).wait();
  };
  const Outcome help = call({"--help"});
  EXPECT_EQ(help.status, 0);
  for (const Command& command : commands()) {
    const std::string name(command.name);
    EXPECT_NE(help.out.find("\n  " + name + " "), std::string::npos) << name;
    for (const char* flag : {"--help", "-h"}) {
      const Outcome outcome = call({name, flag, "--nonsense"});
      EXPECT_EQ(outcome.status, 0) << name;
      for (const Option& option : options()) {
        const bool listed =
            outcome.out.find("\n  --" + std::string(option.name) + " ") != std::string::npos;
        EXPECT_EQ(listed, option.is_for(name)) << name << " --" << option.name;
      }
    }
    EXPECT_EQ(call({name, "--version"}).out, call({"--version"}).out);
  }
}

TEST(ReportingHelp, the_schema_describes_the_pipeline_file) {
  const LoginWorld world(false);
  const Outcome outcome = Program(world.folder(), {"schema"}, {}).wait();
  EXPECT_EQ(outcome.status, 0);
  const auto schema = boost::json::parse(outcome.out).as_object();
  EXPECT_NE(schema.at("$schema").as_string().find("draft-07"), std::string::npos);
  expect_contains(keys_of(schema.at("properties")),
                  {"version", "name", "queue", "tables", "ddl", "rejections"});
}

}  // namespace
}  // namespace sluice
