// SPDX-License-Identifier: Apache-2.0
// The files for node_exporter: that of the last run, and that of the last success, by runs that end
// in every way.
#include <sys/stat.h>

#include "tests/end_to_end/scene.h"
#include "tests/support/metric.h"

namespace sluice {
namespace {

class MetricsFiles : public testing::Test {
 protected:
  void SetUp() override {
    world.variables()["SLUICE_METRICS_FILE"] = path("logins.prom");
    world.variables()["SLUICE_EMPTY_POLLS"] = "1";
  }

  std::string path(const std::string& name) const { return world.folder() + "/" + name; }
  std::string last_run() const { return text_of(path("logins.prom")); }
  std::string last_success() const { return text_of(path("logins-success.prom")); }
  double start() const { return seconds("sluice_last_start_timestamp_seconds"); }
  double completion() const { return seconds("sluice_last_completion_timestamp_seconds"); }

  LoginWorld world;

 private:
  double seconds(const std::string& name) const { return std::stod(metric(last_run(), name)); }
};

TEST_F(MetricsFiles, a_run_that_fails_leaves_the_last_success_alone) {
  world.answer_empty_polls_at_once();
  world.send_good(20);
  ASSERT_EQ(world.run().status, 0);
  const std::string success = last_success();
  EXPECT_EQ(metric(success, "sluice_last_success_timestamp_seconds"),
            metric(last_run(), "sluice_last_completion_timestamp_seconds"));

  world.variables()["PGPASSWORD"] = "of-somebody-else";
  EXPECT_EQ(world.run().status, 77);
  EXPECT_EQ(metric(last_run(), "sluice_last_exit_code"), "77");
  EXPECT_EQ(last_success(), success);
}

TEST_F(MetricsFiles, too_many_rejections_are_no_success_and_nothing_to_do_is_one) {
  world.answer_empty_polls_at_once();
  world.send_bad(5);
  EXPECT_EQ(world.run({"--reject-threshold", "1"}).status, 65);
  EXPECT_EQ(last_success(), "");
  EXPECT_EQ(world.run({"--skip-exit-code", "99"}).status, 99);
  EXPECT_NE(last_success(), "");
}

TEST_F(MetricsFiles, a_success_goes_where_it_is_told_to) {
  world.answer_empty_polls_at_once();
  const std::string elsewhere = path("elsewhere.prom");
  EXPECT_EQ(world.run({"--success-file", elsewhere}).status, 0);
  EXPECT_NE(text_of(elsewhere), "");
  EXPECT_EQ(last_success(), "");
  world.variables().erase("SLUICE_METRICS_FILE");
  const std::string before = text_of(elsewhere);
  EXPECT_EQ(world.run({"--success-file", elsewhere}).status, 0);
  EXPECT_NE(text_of(elsewhere), before) << "without the other file, too";
}

TEST_F(MetricsFiles, a_run_that_is_killed_is_a_start_beside_the_numbers_of_the_run_before) {
  world.send_good(20);
  ASSERT_EQ(world.run().status, 0);
  EXPECT_LE(start(), completion());
  const std::string success = last_success();
  const double ended = completion();

  const auto gate = gate_before(world, "ReceiveMessage");
  const auto run = world.start_run();
  ASSERT_TRUE(gate->wait_for_call());
  run->kill();
  EXPECT_EQ(run->wait().status, 137);
  gate->open();
  EXPECT_GT(start(), ended);
  EXPECT_EQ(completion(), ended);
  EXPECT_EQ(metric(last_run(), "sluice_run_messages", ",result=\"loaded\""), "20");
  EXPECT_EQ(last_success(), success);

  world.let_leases_lapse();
  EXPECT_EQ(world.run().status, 0);
  EXPECT_LE(start(), completion()) << "and the next run ends that";
}

TEST_F(MetricsFiles, a_dry_run_and_a_usage_error_write_none) {
  EXPECT_EQ(world.run({"--dry-run"}).status, 0);
  EXPECT_EQ(world.run({"--receivers", "0"}).status, 64);
  EXPECT_FALSE(std::filesystem::exists(path("logins.prom")));
  EXPECT_FALSE(std::filesystem::exists(path("logins-success.prom")));
}

TEST_F(MetricsFiles, a_run_that_finds_its_checkpoint_held_leaves_them_to_the_holder) {
  const auto gate = gate_before(world, "ReceiveMessage");
  const auto holder = world.start_run();
  ASSERT_TRUE(gate->wait_for_call());
  const std::string begun = last_run();
  EXPECT_EQ(world.run().status, 75);
  EXPECT_EQ(world.run({"--skip-exit-code", "99"}).status, 99);
  EXPECT_EQ(last_run(), begun);
  EXPECT_EQ(last_success(), "");
  gate->open();
  EXPECT_EQ(holder->wait().status, 0);
  EXPECT_NE(last_success(), "");
}

TEST_F(MetricsFiles, can_be_read_by_others_whatever_the_umask) {
  const mode_t before = ::umask(0077);
  const Outcome outcome = world.run();
  ::umask(before);
  EXPECT_EQ(outcome.status, 0);
  for (const char* name : {"logins.prom", "logins-success.prom"}) {
    struct stat found {};
    ASSERT_EQ(::stat(path(name).c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0644U) << name;
  }
}

TEST_F(MetricsFiles, what_was_measured_is_there) {
  world.send_good(50);
  world.send_body(replaced(login_body("1"), "{", R"({"canary-field":1,)"));
  world.aws().faults().add({.on = "DeleteMessageBatch",
                            .calls = {2},
                            .fault = {.status = 500, .code = "InternalError"}});
  const Outcome outcome = world.run();
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const std::string metrics = last_run();
  EXPECT_EQ(metric(metrics, "sluice_run_unmapped_fields"), "1");
  EXPECT_EQ(metric(metrics, "sluice_run_retries", ",target=\"sqs\""), "1");
  EXPECT_EQ(
      metric(metrics, "sluice_run_api_requests", ",api=\"DeleteMessageBatch\",outcome=\"failed\""),
      "1");
  const auto summary = outcome.summary();
  EXPECT_EQ(summary.at("unmapped_fields"), 1);
  EXPECT_EQ(summary.at("retries").at("sqs"), 1);
  EXPECT_EQ(summary.at("source"), "queue");
  EXPECT_EQ(summary.at("masked_values").at("hmac-sha256").to_number<std::uint64_t>(), 102U);
  for (const char* stage : {"receive", "decode", "validate", "mask", "stage", "load", "delete"}) {
    EXPECT_TRUE(summary.at("stages").at(stage).is_double()) << stage;
    const std::string label = ",stage=\"" + std::string(stage) + "\"";
    EXPECT_GT(std::stod(metric(metrics, "sluice_stage_duration_seconds", label)), 0) << stage;
  }
  for (const char* direction : {"in", "out"}) {
    EXPECT_EQ(metric(metrics, "sluice_run_bytes", ",direction=\"" + std::string(direction) + "\""),
              std::to_string(summary.at("bytes").at(direction).to_number<std::uint64_t>()));
  }
}

}  // namespace
}  // namespace sluice
