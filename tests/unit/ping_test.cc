// SPDX-License-Identifier: Apache-2.0
// Dead-man pings and the Pushgateway: who is called when, and where.
#include "job/announce/ping.h"

#include <gtest/gtest.h>

#include "job/announce/pushgateway.h"

namespace sluice {
namespace {

constexpr const char* kRunId = "6f1d2c3b-0a4e-4c55-9f10-2b7d8c9e0f11";

Summary ended(std::string_view status, int exit_code, std::optional<Fault> fault = {}) {
  Summary summary;
  summary.facts.run_id = kRunId;
  summary.facts.pipeline = "user_logins";
  summary.facts.worker = "host-1";
  summary.status = status;
  summary.exit_code = exit_code;
  if (fault) summary.failure = Failure(*fault, "postgres: connection lost", "run again");
  return summary;
}

/// Every way a run may end.
const Summary kOk = ended("ok", 0);
const Summary kNothing = ended("skipped", 99);
const Summary kLocked = ended("skipped", 99, Fault::locked);
const Summary kRejections = ended("rejections", 65);
const Summary kFailed = ended("failed", 75, Fault::temporary);
const Summary kStopped = ended("interrupted", 143);

Ping ping_of(const char* url, PingStyle style) { return {*parse_url(url), style}; }

/// "GET http://host/path?query", or nothing.
std::string line(const std::optional<Announcement>& announcement) {
  if (!announcement) return "";
  const HttpRequest& request = announcement->request;
  return request.method + " " + request.origin + request.path +
         (request.query.empty() ? "" : "?" + request.query);
}

TEST(Ping, a_plain_service_hears_of_what_went_well_and_of_nothing_else) {
  const Ping ping = ping_of("https://nosnch.in/c2354d53d2?m=hourly", PingStyle::plain);
  const std::string call = "GET https://nosnch.in/c2354d53d2?m=hourly";
  EXPECT_EQ(line(ping.at_end(kOk)), call);
  EXPECT_EQ(line(ping.at_end(kNothing)), call);
  EXPECT_EQ(line(ping.at_start(kRunId)), "");
  for (const Summary& summary : {kLocked, kRejections, kFailed, kStopped}) {
    EXPECT_EQ(line(ping.at_end(summary)), "") << summary.status;
  }
}

TEST(Ping, healthchecks_hears_of_the_start_and_of_the_exit_status) {
  const std::string rid = std::string("?rid=") + kRunId;
  for (const char* url : {"https://hc-ping.com/abc", "https://hc-ping.com/abc/"}) {
    const Ping ping = ping_of(url, PingStyle::healthchecks);
    EXPECT_EQ(line(ping.at_start(kRunId)), "GET https://hc-ping.com/abc/start" + rid);
    EXPECT_EQ(line(ping.at_end(kOk)), "GET https://hc-ping.com/abc" + rid);
    EXPECT_EQ(line(ping.at_end(kNothing)), "GET https://hc-ping.com/abc" + rid);
    EXPECT_EQ(line(ping.at_end(kRejections)), "GET https://hc-ping.com/abc/65" + rid);
    EXPECT_EQ(line(ping.at_end(kFailed)), "GET https://hc-ping.com/abc/75" + rid);
    EXPECT_EQ(line(ping.at_end(kStopped)), "GET https://hc-ping.com/abc/143" + rid);
    EXPECT_EQ(line(ping.at_end(kLocked)), "");
  }
  const Ping created =
      ping_of("http://localhost:8000/ping/key/slug?create=1", PingStyle::healthchecks);
  EXPECT_EQ(line(created.at_start(kRunId)),
            std::string("GET http://localhost:8000/ping/key/slug/start?create=1&rid=") + kRunId);
}

TEST(Pushgateway, gets_a_post_for_the_group_of_pipeline_and_worker) {
  const std::string path = "/metrics/job/sluice/pipeline/user_logins/worker/host-1";
  for (const auto& [url, place] : {std::pair{"http://gateway:9091", "http://gateway:9091"},
                                   std::pair{"http://gateway:9091/", "http://gateway:9091"},
                                   std::pair{"https://host/behind/", "https://host/behind"}}) {
    const Pushgateway gateway{*parse_url(url)};
    EXPECT_EQ(line(gateway.at_end(kOk)), "POST " + (place + path));
    EXPECT_EQ(line(gateway.at_start(kOk.facts)), "POST " + (place + path));
  }
}

TEST(Pushgateway, gets_the_success_of_a_run_that_went_well_only) {
  const Pushgateway gateway{*parse_url("http://gateway:9091")};
  const auto tells_success = [&](const Summary& summary) {
    const std::string metrics = gateway.at_end(summary)->request.body;
    EXPECT_NE(metrics.find("\nsluice_last_exit_code{"), std::string::npos) << metrics;
    return metrics.find("\nsluice_last_success_timestamp_seconds{") != std::string::npos;
  };
  EXPECT_TRUE(tells_success(kOk));
  EXPECT_TRUE(tells_success(kNothing));
  EXPECT_FALSE(tells_success(kLocked));
  EXPECT_FALSE(tells_success(kFailed));
  const std::string start = gateway.at_start(kOk.facts)->request.body;
  EXPECT_NE(start.find("\nsluice_last_start_timestamp_seconds{"), std::string::npos) << start;
  EXPECT_EQ(start.find("sluice_last_exit_code"), std::string::npos) << start;
}

TEST(Pushgateway, gets_nothing_of_a_run_that_could_not_read_its_pipeline) {
  Summary summary = kFailed;
  summary.facts.pipeline.clear();
  EXPECT_FALSE(Pushgateway{*parse_url("http://gateway:9091")}.at_end(summary));
}

}  // namespace
}  // namespace sluice
