// SPDX-License-Identifier: Apache-2.0
// What `status` shows of a status, and what it tells to do next.
#include "job/cli/status.h"

#include <gtest/gtest.h>

#include "job/base/text.h"

namespace sluice {
namespace {

using boost::json::object;
using boost::json::value;

object run(const std::string& started_at, int received, int rows, object with = {}) {
  object run{{"run_id", "r"},
             {"run_group", ""},
             {"worker", "one"},
             {"started_at", started_at},
             {"ended_at", started_at},
             {"state", "ended"},
             {"stop_reason", "drained"},
             {"exit_code", 0},
             {"so_far", nullptr},
             {"counts",
              {{"received", received},
               {"loaded", rows},
               {"duplicate", 0},
               {"rejected", received - rows},
               {"rows", {{"public.user_logins", rows}}}}},
             {"status", received == rows ? "ok" : "rejections"},
             {"duration_s", 12.345},
             {"source", "queue"},
             {"oldest_message_age_s", 240},
             {"watermark", "2026-11-20T10:05:01.000Z"},
             {"queue_after", {{"visible", 0}, {"in_flight", 0}, {"delayed", 0}}},
             {"error", nullptr}};
  for (const auto& [key, given] : with) run[key] = given;
  return run;
}

/// Nothing is wrong and nothing waits.
object good() {
  return {{"pipeline", "user_logins"},
          {"worker", "one"},
          {"at", "2026-11-20T10:08:30.000Z"},
          {"runs",
           {run("2026-11-20T10:05:03.000Z", 12345, 12345), run("2026-11-20T09:05:02.000Z", 0, 0),
            run("2026-11-20T08:05:02.000Z", 1500, 1500)}},
          {"checkpoint",
           {{"path", "/state/user_logins-one.db"},
            {"exists", true},
            {"in_use_by", ""},
            {"problem", nullptr},
            {"replaced_by_next_run", false},
            {"windows", boost::json::array()},
            {"undeleted", 0},
            {"closed", {{"windows", 3}, {"messages", 13845}}}}},
          {"queue", {{"visible", 5000}, {"in_flight", 0}, {"delayed", 0}}},
          {"rejections", boost::json::array()},
          {"errors", boost::json::array()}};
}

std::string shown(object status, StatusStyle style = {.utf8 = true, .colour = false}) {
  status["backlog"] = backlog_of(status);
  status["next"] = next_steps(status);
  return status_text(status, style);
}

std::string first_step(const object& status) {
  return std::string(next_steps(status).at(0).as_string());
}

void expect_step(const object& status, const std::string& words) {
  EXPECT_NE(first_step(status).find(words), std::string::npos) << first_step(status);
}

void expect_shown(const std::string& text, const std::string& words) {
  EXPECT_NE(text.find(words), std::string::npos) << "not shown: " << words << "\n" << text;
}

object& checkpoint(object& status) { return status["checkpoint"].as_object(); }

TEST(Status, of_a_good_day) {
  EXPECT_EQ(shown(good()), R"(pipeline user_logins, worker one, 2026-11-20 10:08 UTC

runs
  started (UTC)     took  exit  end      received  loaded  duplicate  rejected  worker
  2026-11-20 10:05  12 s     0  drained    12,345  12,345          0         0  one
  2026-11-20 09:05  12 s     0  drained         0       0          0         0  one
  2026-11-20 08:05  12 s     0  drained     1,500   1,500          0         0  one
  rows per run, the newest last: ▁·█  most: 12,345

backlog
  queue now        5,000 visible, 0 in flight, 0 delayed (SQS's estimate)
  newest loaded    sent 2026-11-20 10:05 UTC, 3 min ago (of the runs above)
  oldest received  4 min old then (of the last run that got any)
  time to drain    5.0 s, at the 1,000/s of that run

checkpoint /state/user_logins-one.db
  nothing is left to delete: the queue answered every delete of 3 closed windows (13,845 messages)

rejections
  none

next
  nothing to do
)");
}

TEST(Status, of_a_bad_day) {
  object status = good();
  const object failure{{"fault", "temporary"},
                       {"message", "connecting to postgres db: refused"},
                       {"hint", "check host, port and network; run again later"}};
  status["runs"] = {
      run("2026-11-20T10:05:03.000Z", 700, 0,
          {{"exit_code", 75}, {"status", "failed"}, {"stop_reason", "error"}, {"error", failure}}),
      run("2026-11-20T09:05:03.000Z", 0, 0,
          {{"state", "not ended"},
           {"run_group", "hourly"},
           {"worker", "two"},
           {"duration_s", nullptr},
           {"exit_code", nullptr},
           {"status", nullptr},
           {"counts", nullptr},
           {"so_far",
            {{"windows", 1},
             {"loaded", 900},
             {"duplicate", 80},
             {"rejected", 20},
             {"rows", 900}}}})};
  checkpoint(status)["windows"] = {{{"state", "sealed"},
                                    {"messages", 700},
                                    {"set_aside", false},
                                    {"oldest_sent_at", "2026-11-20T08:08:30.000Z"}},
                                   {{"state", "loaded"},
                                    {"messages", 25},
                                    {"set_aside", false},
                                    {"oldest_sent_at", "2026-11-20T07:08:30.000Z"}}};
  checkpoint(status)["undeleted"] = 12;
  status["queue"] = nullptr;
  status["errors"] = {{{"part", "queue"}, {"message", "queue x: away"}, {"hint", "look at x"}}};
  status["rejections"] = {{{"reason", "missing-field"},
                           {"field", "user_id"},
                           {"sqlstate", ""},
                           {"messages", 20},
                           {"last_day", 20},
                           {"to_forward", 0},
                           {"newest", "2026-11-20T09:06:00.000Z"}}};
  EXPECT_EQ(shown(status, {}), R"(pipeline user_logins, worker one, 2026-11-20 10:08 UTC

runs
  started (UTC)     took  exit  end        received  loaded  duplicate  rejected  worker
  2026-11-20 10:05  12 s    75  failed          700       0          0       700  one
  group hourly
  2026-11-20 09:05     -     -  not ended         -     900         80        20  two
  not ended: running elsewhere, killed, or its end was not recorded
  rows per run, the newest last: #.  most: 900

backlog
  not known: queue x: away
  newest loaded    sent 2026-11-20 10:05 UTC, 3 min ago (of the runs above)
  oldest received  4 min old then (of the last run that got any)

checkpoint /state/user_logins-one.db
  sealed  700  messages  the oldest sent 2 h ago
  loaded   25  messages  the oldest sent 3 h ago
  12 messages are loaded and not yet deleted (`--undeleted` lists them)

rejections
  messages  last 24 h  to forward  reason         field    SQLSTATE  newest (UTC)
        20         20           0  missing-field  user_id            2026-11-20 09:06

next
  the last run failed (connecting to postgres db: refused): check host, port and network; run
    again later
  run again: it deletes the 12 messages that are loaded (`--undeleted` lists them) and loads the
    700 that the checkpoint keeps
  20 messages were rejected in the last 24 hours, most often missing-field of field user_id: put
    the sender or the pipeline file right; their bodies are kept, sealed
)");
}

TEST(Status, with_nothing_known_there_is_a_reason_for_each_part) {
  object status = good();
  for (const char* part : {"runs", "checkpoint", "queue", "rejections"}) status[part] = nullptr;
  status["errors"] = {{{"part", "postgres"}, {"message", "no database"}, {"hint", "start it"}},
                      {{"part", "checkpoint"}, {"message", "no folder"}, {"hint", "make it"}},
                      {{"part", "queue"}, {"message", "no queue"}, {"hint", "name it"}}};
  const std::string text = shown(status);
  for (const char* reason : {"no database", "no folder", "no queue"}) {
    expect_shown(text, std::string("  not known: ") + reason + "\n");
  }
  expect_step(status, "start it");
}

TEST(Status, a_run_that_is_at_work_shows_what_it_has_committed) {
  object status = good();
  status["runs"].as_array()[0] = run("2026-11-20T10:05:30.000Z", 0, 0,
                                     {{"state", "running"},
                                      {"counts", nullptr},
                                      {"duration_s", nullptr},
                                      {"exit_code", nullptr},
                                      {"so_far", {{"loaded", 7000}, {"rows", 7000}}}});
  checkpoint(status)["in_use_by"] = "process 42, which began 3 min ago";
  checkpoint(status)["undeleted"] = nullptr;
  checkpoint(status)["closed"] = nullptr;
  const std::string text = shown(status);
  expect_shown(text, "10:05  3 min     -  running         -   7,000");
  expect_shown(text, "in use by process 42, which began 3 min ago: what it holds can be seen when");
  EXPECT_EQ(text.find("deleted"), std::string::npos) << "nobody knows what is deleted now\n"
                                                     << text;
  expect_step(status, "a run is at work");
}

TEST(Status, lines_stay_within_a_hundred_columns_and_a_long_worker_keeps_its_end) {
  object status = good();
  for (value& each : status["runs"].as_array()) {
    each.as_object()["worker"] = "user-logins-29402820-" + std::string(40, 'x') + "-3";
    each.as_object()["counts"].as_object()["loaded"] = 1'234'567'890;
  }
  const std::string text = shown(status, {});
  for (const std::string_view line : split(text, '\n')) EXPECT_LE(line.size(), 100U) << line;
  expect_shown(text, "x-3\n");
}

TEST(Status, a_thousand_runs_are_a_thousand_lines_and_a_chart_of_the_newest) {
  object status = good();
  boost::json::array many;
  for (int i = 0; i < 1000; ++i) many.push_back(run("2026-11-20T10:05:03.000Z", i, i));
  status["runs"] = many;
  const std::string text = shown(status, {});
  EXPECT_GT(split(text, '\n').size(), 1000U);
  expect_shown(text, "the newest last: ########%");
  expect_shown(text, "most: 59");
}

TEST(Status, only_on_request_it_is_coloured_and_then_the_failed_runs_are) {
  object status = good();
  EXPECT_EQ(shown(status, {.utf8 = true, .colour = true}).find('\x1b'), std::string::npos);
  status["runs"].as_array()[1].as_object()["exit_code"] = 75;
  EXPECT_EQ(shown(status).find('\x1b'), std::string::npos);
  expect_shown(shown(status, {.utf8 = true, .colour = true}), "\x1b[31m  2026-11-20 09:05");
}

TEST(Status, what_a_database_holds_moves_no_cursor) {
  object status = good();
  object& last = status["runs"].as_array()[0].as_object();
  for (const char* key : {"run_group", "worker", "stop_reason", "started_at"}) {
    last[key] = "\x1b[2J\nnext\n  rm -rf /";
  }
  const std::string text = shown(status, {});
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find("\n  rm"), std::string::npos);
}

TEST(Status, whatever_a_summary_holds_is_no_reason_to_fail) {
  for (const char* odd : {"null", "[]", "\"x\"", "1e300", "-1.5", "true", "{}"}) {
    object status = good();
    for (const char* key : {"counts", "status", "duration_s", "source", "oldest_message_age_s",
                            "watermark", "queue_after", "error", "started_at", "state"}) {
      status["runs"].as_array()[0].as_object()[key] = boost::json::parse(odd);
      EXPECT_NO_THROW(shown(status)) << key << " " << odd;
    }
  }
}

TEST(StatusNext, what_could_not_be_seen_comes_first) {
  object status = good();
  status["errors"] = {{{"part", "queue"}, {"message", "q"}, {"hint", "the queue's hint"}},
                      {{"part", "postgres"}, {"message", "p"}, {"hint", "run `sluice migrate`"}}};
  expect_step(status, "run `sluice migrate`");
  EXPECT_EQ(next_steps(status).size(), 2U);
}

TEST(StatusNext, a_damaged_checkpoint_heals_by_itself) {
  object status = good();
  checkpoint(status)["problem"] = "checkpoint x: is damaged";
  checkpoint(status)["replaced_by_next_run"] = true;
  expect_step(status, "puts the checkpoint aside");
  expect_shown(shown(status), "  checkpoint x: is damaged\n");
}

TEST(StatusNext, a_run_that_did_not_end_goes_on_unless_it_is_at_work) {
  object status = good();
  status["runs"].as_array()[0].as_object()["state"] = "not ended";
  expect_step(status, "run again: it goes on where the last run stopped");
  status["runs"].as_array()[0].as_object()["worker"] = "two";  // another host's business
  expect_step(status, "nothing to do");
}

TEST(StatusNext, a_backfill_that_was_cut_short_is_begun_again) {
  object status = good();
  object backfill = checkpoint(status);
  backfill["unfinished"] = true;
  status["backfill"] = backfill;
  status["runs"].as_array()[0].as_object()["state"] = "not ended";
  expect_step(status, "the same `sluice backfill` again");
  EXPECT_EQ(next_steps(status).size(), 1U) << "it was the backfill that did not end";
  expect_shown(shown(status), "\nbackfill /state/user_logins-one.db\n  unfinished\n");
  status["backfill"].as_object()["in_use_by"] = "process 7";
  status["runs"].as_array()[0].as_object()["state"] = "running";
  expect_step(status, "a run is at work");
}

TEST(StatusNext, windows_that_are_set_aside_need_a_person) {
  object status = good();
  checkpoint(status)["windows"] = {{{"state", "sealed"}, {"messages", 9}, {"set_aside", true}}};
  expect_step(status, "9 messages are set aside");
  EXPECT_EQ(next_steps(status).size(), 1U) << "a run does not load them";
}

TEST(StatusNext, a_backlog_that_grows_run_by_run_wants_more) {
  object status = good();
  boost::json::array runs;
  for (const int left : {3000, 2000, 1000}) {
    runs.push_back(run("2026-11-20T10:05:03.000Z", 9, 9,
                       {{"stop_reason", "max_runtime"}, {"queue_after", {{"visible", left}}}}));
  }
  status["runs"] = runs;
  expect_step(status, "(1,000, 2,000, 3,000)");
  runs[1].as_object()["stop_reason"] = "drained";
  status["runs"] = runs;
  expect_step(status, "nothing to do");
}

TEST(StatusNext, rejections_of_today_are_for_who_sends_and_older_ones_are_history) {
  object status = good();
  object old{{"reason", "not-json"}, {"field", ""}, {"messages", 500}, {"last_day", 0}};
  status["rejections"] = {old};
  expect_step(status, "nothing to do");
  status["rejections"] = {old, {{"reason", "too-long"}, {"field", "locale"}, {"last_day", 3}}};
  expect_step(status, "3 messages were rejected in the last 24 hours, most often too-long of");
  status["rejections"] = {{{"reason", "not-json"}, {"messages", 4}, {"to_forward", 4}}};
  expect_step(status, "sends 4 rejections on");
  checkpoint(status)["in_use_by"] = "process 7";
  expect_step(status, "a run is at work");
}

TEST(StatusNext, a_silent_scheduler_is_noticed_by_the_pauses_that_were_usual) {
  object status = good();  // one an hour
  status["at"] = "2026-11-20T12:00:00.000Z";
  expect_step(status, "nothing to do");
  status["at"] = "2026-11-20T12:06:00.000Z";
  expect_step(status, "no run for 2 h");
  // Eight workers that begin together every hour are no reason to expect one each second.
  for (value& each : status["runs"].as_array()) {
    each.as_object()["started_at"] = "2026-11-20T10:05:03.000Z";
  }
  expect_step(status, "nothing to do");
}

TEST(StatusNext, before_the_first_run_it_says_how_to_begin) {
  object status = good();
  status["runs"] = boost::json::array();
  expect_step(status, "sluice check");
  expect_shown(shown(status), "runs\n  none yet\n");
}

TEST(StatusBacklog, an_archive_says_nothing_about_the_queue) {
  object status = good();
  status["runs"].as_array()[0].as_object()["source"] = "archive";
  status["runs"].as_array()[2].as_object()["watermark"] = "2026-11-20T08:00:00.000Z";
  status["runs"].as_array()[1].as_object()["watermark"] = nullptr;
  const object backlog = backlog_of(status);
  EXPECT_EQ(backlog.at("loaded_up_to"), "2026-11-20T08:00:00.000Z");
  EXPECT_NEAR(backlog.at("per_second").as_double(), 1500 / 12.345, 1e-9);
}

}  // namespace
}  // namespace sluice
