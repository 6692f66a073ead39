// SPDX-License-Identifier: Apache-2.0
#include "job/pipeline/metrics.h"

#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "job/base/build.h"
#include "tests/support/metric.h"

namespace sluice {
namespace {

Summary run_that_ended_well() {
  Summary summary;
  summary.facts.pipeline = "user_logins";
  summary.facts.worker = "one";
  summary.facts.tables = {"public.user_logins"};
  summary.facts.started = {1'000, 1'760'000'000'500};
  summary.ended = {3'250, 1'760'000'002'750};
  summary.status = "ok";
  summary.stop_reason = "drained";
  summary.books = Books(1);
  summary.books.received = 11;
  summary.books.loaded = 10;
  summary.books.rejected = 1;
  summary.books.rows = {10};
  summary.books.oldest_age_ms = 61'500;
  summary.books.watermark_ms = 1'760'000'001'000;
  summary.measures.receive_ns = 1'500'000'000;
  summary.measures.mask_ns = 2'000'000;
  summary.measures.bytes_in = 1'100;
  summary.measures.bytes_out = 900;
  summary.measures.masked_values = {{"hmac-sha256", 20}};
  summary.measures.unmapped_fields = 2;
  summary.measures.load_retries = 3;
  summary.queue_after = QueueCounts{4, 5, 6};
  summary.sqs_requests = {{"ReceiveMessage", {.sent = 9, .ok = 6, .failed = 2, .repeated = 1}}};
  return summary;
}

std::set<std::string> names_in(const std::string& metrics) {
  std::set<std::string> names;
  std::istringstream lines(metrics);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('#')) names.insert(line.substr(0, line.find('{')));
  }
  return names;
}

TEST(Metrics, tell_what_the_summary_tells) {
  const std::string metrics = to_metrics(run_that_ended_well());
  const auto is = [&metrics](const std::string& name, const std::string& labels,
                             const std::string& value) {
    EXPECT_EQ(metric(metrics, name, labels), value) << name << labels;
  };
  is("sluice_build_info",
     ",version=\"" SLUICE_VERSION "\",commit=\"" + std::string(build_commit()) + "\"", "1");
  is("sluice_last_start_timestamp_seconds", "", "1760000000.5");
  is("sluice_last_completion_timestamp_seconds", "", "1760000002.75");
  is("sluice_last_exit_code", "", "0");
  is("sluice_run_duration_seconds", "", "2.25");
  is("sluice_run_stop_reason", ",reason=\"drained\"", "1");
  is("sluice_run_messages", ",result=\"loaded\"", "10");
  is("sluice_run_messages", ",result=\"deleted\"", "0");
  is("sluice_run_rows", ",table=\"public.user_logins\"", "10");
  is("sluice_oldest_message_age_seconds", "", "61.5");
  is("sluice_last_message_sent_timestamp_seconds", "", "1760000001");
  is("sluice_queue_messages", ",state=\"delayed\"", "6");
  is("sluice_stage_duration_seconds", ",stage=\"receive\"", "1.5");
  is("sluice_stage_duration_seconds", ",stage=\"mask\"", "0.002");
  is("sluice_run_bytes", ",direction=\"in\"", "1100");
  is("sluice_run_bytes", ",direction=\"out\"", "900");
  is("sluice_run_masked_values", ",method=\"hmac-sha256\"", "20");
  is("sluice_run_unmapped_fields", "", "2");
  is("sluice_run_api_requests", ",api=\"ReceiveMessage\",outcome=\"ok\"", "6");
  is("sluice_run_api_requests", ",api=\"ReceiveMessage\",outcome=\"failed\"", "2");
  is("sluice_run_api_requests", ",api=\"ReceiveMessage\",outcome=\"abandoned\"", "1");
  is("sluice_run_api_requests", ",api=\"DeleteMessageBatch\",outcome=\"ok\"", "0");
  is("sluice_run_retries", ",target=\"sqs\"", "1");
  is("sluice_run_retries", ",target=\"postgres\"", "3");
}

TEST(Metrics, of_a_run_that_learned_nothing_are_all_there_and_nan_where_nothing_is_known) {
  Summary summary;
  summary.facts.pipeline = "user_logins";
  summary.facts.worker = "one";
  summary.exit_code = 77;
  const std::string metrics = to_metrics(summary);
  for (const char* name :
       {"sluice_oldest_message_age_seconds", "sluice_last_message_sent_timestamp_seconds"}) {
    EXPECT_EQ(metric(metrics, name), "NaN") << name;
  }
  for (const char* state : {"visible", "in_flight", "delayed"}) {
    EXPECT_EQ(metric(metrics, "sluice_queue_messages", ",state=\"" + std::string(state) + "\""),
              "NaN");
  }
  EXPECT_EQ(metric(metrics, "sluice_last_exit_code"), "77");
  auto wanted = names_in(to_metrics(run_that_ended_well()));
  wanted.erase("sluice_run_rows");           // the pipeline file was not read:
  wanted.erase("sluice_run_masked_values");  // neither tables nor masks are known
  EXPECT_EQ(names_in(metrics), wanted);
}

/// "name text" of each HELP line.
std::vector<std::string> helps_in(const std::string& metrics) {
  constexpr std::string_view kHelp = "# HELP ";
  std::vector<std::string> helps;
  std::istringstream lines(metrics);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(kHelp)) helps.push_back(line.substr(kHelp.size()));
  }
  return helps;
}

TEST(Metrics, help_texts_stay_as_they_are_or_node_exporter_drops_series_of_two_versions) {
  Summary summary = run_that_ended_well();
  const auto helps = helps_in(to_metrics(summary) + to_success_metrics(summary));
  const std::vector<std::string> always = {
      "sluice_build_info The program of the last run.",
      "sluice_last_start_timestamp_seconds When the last run began; after the last completion: it "
      "is under way or was killed.",
      "sluice_last_completion_timestamp_seconds When the last run ended, well or not.",
      "sluice_last_exit_code Exit status of the last run.",
      "sluice_run_duration_seconds How long the last run took.",
      "sluice_run_stop_reason Why the last run ended.",
      "sluice_run_messages Messages of the last run by what became of them.",
      "sluice_run_rows Rows that the last run loaded, by table.",
      "sluice_oldest_message_age_seconds Age of the oldest message received; NaN when there was "
      "none.",
      "sluice_last_message_sent_timestamp_seconds When the newest message loaded was sent; NaN "
      "when none was.",
      "sluice_queue_messages The queue's own counters at the end of the run; NaN when it could not "
      "tell.",
      "sluice_stage_duration_seconds Time of the last run by stage; stages overlap. receive, "
      "delete: with such a call under way, waiting too; the others: at work.",
      "sluice_run_bytes in: bodies received. out: masked rows and sealed rejections of the windows "
      "committed.",
      "sluice_run_masked_values Values that the last run masked, by method.",
      "sluice_run_unmapped_fields Distinct top-level fields of bodies that no column takes, at "
      "most 100.",
      "sluice_run_api_requests Requests to SQS, by what became of them.",
      "sluice_run_retries sqs: requests sent again. postgres: load transactions begun again.",
      "sluice_last_success_timestamp_seconds When a run last ended with all that was asked of it "
      "done.",
  };
  EXPECT_EQ(helps, always);
  const auto begun = helps_in(with_start("", summary.facts));
  ASSERT_EQ(begun.size(), 1U);
  EXPECT_EQ(begun[0], always[1]);
}

TEST(Metrics, of_a_success_are_one_series_that_the_other_file_has_not) {
  const Summary summary = run_that_ended_well();
  const std::string success = to_success_metrics(summary);
  EXPECT_EQ(names_in(success), std::set<std::string>{"sluice_last_success_timestamp_seconds"});
  EXPECT_EQ(metric(success, "sluice_last_success_timestamp_seconds"), "1760000002.75");
  EXPECT_FALSE(names_in(to_metrics(summary)).contains("sluice_last_success_timestamp_seconds"));
}

TEST(Metrics, of_an_archive_tell_no_age_because_an_alert_would_take_it_for_that_of_a_queue) {
  Summary summary = run_that_ended_well();
  summary.facts.source = kArchive;
  EXPECT_EQ(metric(to_metrics(summary), "sluice_oldest_message_age_seconds"), "NaN");
}

TEST(Metrics, a_table_whose_name_has_quotes_stays_one_label) {
  Summary summary = run_that_ended_well();
  summary.facts.tables = {"public.a\"b\\c\nd"};
  EXPECT_NE(to_metrics(summary).find("table=\"public.a\\\"b\\\\c\\nd\"} 10\n"), std::string::npos);
}

TEST(Metrics, of_a_run_that_begins_are_those_before_it_with_a_new_start) {
  const std::string before = to_metrics(run_that_ended_well());
  RunFacts facts = run_that_ended_well().facts;
  facts.started.wall_ms += 3'600'000;
  const std::string begun = with_start(before, facts);
  EXPECT_EQ(metric(begun, "sluice_last_start_timestamp_seconds"), "1760003600.5");
  EXPECT_EQ(metric(begun, "sluice_last_completion_timestamp_seconds"), "1760000002.75");
  EXPECT_EQ(begun.size(), before.size());
  EXPECT_EQ(names_in(begun), names_in(before));
}

TEST(Metrics, of_a_run_that_begins_where_no_metrics_of_its_worker_were_are_its_start) {
  const Summary other = run_that_ended_well();
  RunFacts facts = other.facts;
  facts.worker = "two";
  const std::set<std::string> start = {"sluice_last_start_timestamp_seconds"};
  for (const std::string& before :
       {std::string(), std::string("something else"), to_metrics(other)}) {
    EXPECT_EQ(names_in(with_start(before, facts)), start) << before;
  }
  const std::string begun = with_start("", other.facts);
  EXPECT_EQ(with_start(begun, other.facts), begun);
  EXPECT_EQ(with_start(begun.substr(0, begun.size() - 1), other.facts), begun) << "cut off";
}

TEST(Metrics, a_run_succeeded_that_did_what_was_asked_be_it_nothing) {
  Summary summary = run_that_ended_well();
  EXPECT_TRUE(summary.succeeded());
  summary.exit_code = 65;
  EXPECT_FALSE(summary.succeeded()) << "too many rejections";
  summary.exit_code = 143;
  EXPECT_FALSE(summary.succeeded()) << "stopped";
  summary.exit_code = 99;
  summary.status = "skipped";
  EXPECT_TRUE(summary.succeeded()) << "nothing to do";
  summary.failure = Failure(Fault::locked, "held", "");
  EXPECT_FALSE(summary.succeeded()) << "another run is at it";
}

}  // namespace
}  // namespace sluice
