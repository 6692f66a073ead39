// SPDX-License-Identifier: Apache-2.0
// What lies in Postgres and in the queue after a run that went well.
#include <atomic>
#include <thread>

#include "job/base/clock.h"
#include "tests/end_to_end/scene.h"

namespace sluice {
namespace {

constexpr std::int64_t kDay_ms = 86'400'000;

std::string loaded_in_total(LoginWorld& world) {
  return world.database().value("SELECT count(*) FROM public.user_logins");
}

TEST(Loading, each_message_becomes_a_row_or_a_rejection_and_a_second_run_finds_nothing) {
  LoginWorld world;
  world.send(400);
  const Outcome first = world.run();
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_EQ(first.count("received"), 400);
  EXPECT_EQ(first.count("deleted"), 400);
  EXPECT_GT(first.count("rejected"), 0);
  world.expect_everything_once();

  const Outcome second = world.run();
  EXPECT_EQ(second.status, 0) << second.err;
  EXPECT_EQ(second.count("received"), 0);
  EXPECT_EQ(second.summary().at("status"), "ok");
  EXPECT_EQ(second.summary().at("stop_reason"), "drained");
  world.expect_everything_once();
}

TEST(Loading, a_message_that_comes_twice_into_one_window_is_one_row) {
  LoginWorld world;
  world.send(40);
  world.aws().faults().add({.on = "ReceiveMessage", .most = 3, .fault = {.twice = true}});
  const Outcome outcome = world.run();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_GT(outcome.count("duplicate"), 0);
  EXPECT_EQ(outcome.count("windows"), 1);
  expect_books_add_up(outcome.summary());
  world.expect_everything_once();
}

TEST(Loading, a_message_that_comes_again_in_a_later_window_is_dropped) {
  LoginWorld world;
  world.send(40);
  EXPECT_EQ(world.run().status, 0);
  deliver_all_again(world);
  const Outcome again = world.run();
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(again.count("loaded"), 0);
  EXPECT_EQ(again.count("duplicate"), 40);
  world.expect_everything_once();
}

TEST(Loading, later_windows_load_while_the_deletes_of_an_earlier_one_wait) {
  LoginWorld world;
  const auto gate = gate_before(world, "DeleteMessageBatch", 2);  // the first proves the right
  world.send(100);
  const auto run = world.start_run({"--window-messages", "10", "--empty-polls", "1"});
  ASSERT_TRUE(gate->wait_for_call());
  world.database().wait_until("(SELECT count(*) >= 5 FROM sluice.loaded_window)");
  gate->open();
  const Outcome outcome = run->wait();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_GE(outcome.count("windows"), 10);
  world.expect_everything_once();
}

TEST(Loading, a_date_is_the_day_in_utc_whatever_the_time_zones_are) {
  LoginWorld world;
  world.variables()["TZ"] = "Pacific/Auckland";
  world.database().run("ALTER DATABASE " + world.database().name() +
                       " SET timezone = 'America/Los_Angeles'");
  const std::int64_t midnight = now().wall_ms / kDay_ms * kDay_ms;
  world.aws().sqs().with_queue(kLoginQueue, [&](SandboxQueue& queue, Now at) {
    queue.send({.body = login_body("before"), .sent_ms = midnight - 1}, at);
    queue.send({.body = login_body("after"), .sent_ms = midnight}, at);
  });
  EXPECT_EQ(world.run({"--empty-polls", "1"}).status, 0);
  const std::vector<Row> rows = world.database().rows(
      "SELECT user_id, create_date::text FROM public.user_logins ORDER BY create_date");
  EXPECT_EQ(rows, (std::vector<Row>{{"before", rfc3339(midnight - 1).substr(0, 10)},
                                    {"after", rfc3339(midnight).substr(0, 10)}}));
}

TEST(Loading, a_queue_is_found_by_its_name) {
  LoginWorld world;
  edit_pipeline(world, R"("url": "https://sqs.us-east-1.amazonaws.com/000000000000/login-queue")",
                R"("name": "login-queue")");
  world.send(10);
  const Outcome outcome = world.run({"--empty-polls", "1"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  world.expect_everything_once();
}

TEST(Loading, the_loader_role_and_insert_on_the_table_are_all_the_rights_it_takes) {
  LoginWorld world;
  const std::string loader = world.database().make_loader();
  world.database().run("GRANT INSERT ON public.user_logins TO " + loader + "; ALTER ROLE " +
                       loader + " PASSWORD 'loaders-own-word'");
  world.variables()["PGUSER"] = loader;
  world.variables()["PGPASSWORD"] = "loaders-own-word";
  world.send(200);
  const Outcome outcome = world.run({"--empty-polls", "1"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  world.expect_everything_once();
  EXPECT_EQ(world.database().value("SELECT exit_code FROM sluice.run"), "0");
}

TEST(Loading, max_messages_is_never_exceeded_and_nothing_is_left_hidden) {
  LoginWorld world;
  world.send(60);
  const Outcome outcome = world.run({"--max-messages", "17"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.count("received"), 17);
  EXPECT_EQ(outcome.count("deleted"), 17);
  EXPECT_EQ(outcome.summary().at("stop_reason"), "max_messages");
  expect_books_add_up(outcome.summary());
  EXPECT_EQ(tally(world).deliveries, 17U);
  EXPECT_EQ(tally(world).in_flight, 0U);
  EXPECT_EQ(tally(world).visible, 43U);
  world.run_until_empty();
  world.expect_everything_once();
}

TEST(Loading, max_runtime_ends_a_run_that_a_producer_would_keep_busy_for_ever) {
  LoginWorld world;
  std::atomic<bool> ended = false;
  std::thread producer([&] {
    while (!ended) {
      world.send(1);
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  });
  const Outcome outcome = world.run({"--max-runtime", "3s"});
  ended = true;
  producer.join();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.summary().at("stop_reason"), "max_runtime");
  EXPECT_GT(outcome.count("loaded"), 0);
  expect_books_add_up(outcome.summary());
  EXPECT_EQ(tally(world).in_flight, 0U);
  world.run_until_empty();
  world.expect_everything_once();
}

TEST(Loading, sent_before_now_ends_a_run_that_a_producer_would_keep_busy_for_ever) {
  LoginWorld world;
  world.send(300);
  std::atomic<bool> ended = false;
  std::thread producer([&] {
    while (!ended) {
      world.send(1);
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  });
  const Outcome outcome = world.run({"--sent-before", "now"});
  ended = true;
  producer.join();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.summary().at("stop_reason"), "drained");
  EXPECT_GE(outcome.count("received"), 300);
  EXPECT_EQ(outcome.count("deleted"), outcome.count("received"));
  EXPECT_EQ(tally(world).in_flight, 0U);
  world.run_until_empty();
  world.expect_everything_once();
}

TEST(Loading, more_rejections_than_the_threshold_end_with_65_after_the_good_rows_are_loaded) {
  for (const auto& [threshold, status] :
       std::map<std::string, int>{{"2", 65}, {"3", 0}, {"74%", 65}, {"75%", 0}, {"0", 65}}) {
    SCOPED_TRACE(threshold);
    LoginWorld world;
    for (const char* body : {"{", "[]", "{}"}) world.send_body(body);
    world.send_body(login_body("good"));
    const Outcome outcome = world.run({"--reject-threshold", threshold, "--max-messages", "4"});
    EXPECT_EQ(outcome.status, status) << outcome.err;
    EXPECT_EQ(outcome.summary().at("status"), "rejections");
    EXPECT_EQ(errors_in(outcome.err).empty(), status == 0) << outcome.err;
    EXPECT_EQ(outcome.count("rejected"), 3);
    EXPECT_EQ(loaded_in_total(world), "1");
    EXPECT_EQ(world.left_in_queue(), 0U);
  }
}

TEST(Loading, a_row_that_postgres_refuses_is_a_rejection_and_its_window_still_loads) {
  LoginWorld world;
  world.database().run("ALTER TABLE public.user_logins ADD CHECK (device_type <> 'toaster')");
  for (int i = 0; i < 20; ++i) {
    world.send_body(login_body(std::to_string(i), i % 7 == 3 ? "toaster" : "ios"));
  }
  const Outcome outcome = world.run({"--empty-polls", "1"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.count("loaded"), 17);
  EXPECT_EQ(outcome.count("rejected"), 3);
  EXPECT_EQ(loaded_in_total(world), "17");
  EXPECT_EQ(world.database().rows("SELECT DISTINCT reason, sqlstate FROM sluice.rejected_message"),
            (std::vector<Row>{{"refused-by-postgres", "23514"}}));
  EXPECT_EQ(world.left_in_queue(), 0U);
}

TEST(Loading, one_message_may_fill_several_tables) {
  LoginWorld world;
  world.database().run("CREATE TABLE public.devices (kind text, mask text NOT NULL)");
  edit_pipeline(world, "\n    ] } ],", R"(
    ] }, { "table": "public.devices", "columns": [
      { "column": "kind", "from": "device_type", "type": "text" },
      { "column": "mask", "from": "device_id", "type": "text", "required": true,
        "mask": { "method": "hmac-sha256", "domain": "device_id", "canonical": "text" } } ] } ],)");
  world.send(300);
  const Outcome outcome = world.run({"--empty-polls", "1", "--window-messages", "100"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  world.expect_everything_once();
  EXPECT_EQ(
      world.database().value(
          "SELECT count(*) FROM (SELECT device_type, masked_device_id FROM public.user_logins "
          "EXCEPT ALL SELECT kind, mask FROM public.devices) AS missing"),
      "0");
  const auto rows = outcome.summary().at("counts").at("rows").as_object();
  EXPECT_EQ(rows.at("public.user_logins"), outcome.count("loaded"));
  EXPECT_EQ(rows.at("public.devices"), outcome.count("loaded"));
}

TEST(Loading, masks_without_a_key_are_written_bit_for_bit_and_warned_of) {
  LoginWorld world;
  edit_pipeline(world, R"("mask": { "method": "hmac-sha256", "domain": "ip", "canonical": "ip" })",
                R"("mask": { "method": "sha256", "canonical": "none" })");
  edit_pipeline(
      world, R"("mask": { "method": "hmac-sha256", "domain": "device_id", "canonical": "text" })",
      R"("mask": { "method": "md5", "canonical": "none" })");
  world.send_body(login_body("somebody"));
  const Outcome outcome = world.run({"--empty-polls", "1"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(
      world.database().rows("SELECT masked_ip = encode(sha256('198.19.100.7'), 'hex'), "
                            "masked_device_id = md5('canary-11-2233') FROM public.user_logins"),
      (std::vector<Row>{{"t", "t"}}));
  for (const char* method : {"sha256", "md5"}) {
    EXPECT_NE(outcome.err.find(method), std::string::npos) << outcome.err;
  }
  EXPECT_NE(outcome.err.find(R"("level":"warning")"), std::string::npos) << outcome.err;
}

TEST(Loading, an_empty_queue_is_success_or_what_the_scheduler_wants_for_nothing_to_do) {
  LoginWorld world;
  EXPECT_EQ(world.run({"--empty-polls", "1"}).status, 0);
  const Outcome skipped = world.run({"--empty-polls", "1", "--skip-exit-code", "99"});
  EXPECT_EQ(skipped.status, 99) << skipped.err;
  EXPECT_EQ(skipped.summary().at("status"), "skipped");
  EXPECT_EQ(skipped.summary().at("exit_code"), 99);
  world.send(1);
  EXPECT_EQ(world.run({"--empty-polls", "1", "--skip-exit-code", "99"}).status, 0);
}

}  // namespace
}  // namespace sluice
