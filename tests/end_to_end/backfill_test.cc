// SPDX-License-Identifier: Apache-2.0
// Archive files through the same path as the queue: each message once, whatever holds it and
// however often it is read.
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <signal.h>
#include <sys/stat.h>

#include "tests/end_to_end/archive.h"
#include "tests/support/sandbox_keys.h"
#include "tests/support/sqs_caller.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

class Backfill : public Archive {};

TEST_F(Backfill, loads_an_archive_once_however_often_it_is_read) {
  const std::string file = put("a.jsonl", lines_of(0, 40) + "no json\n");
  const Outcome first = backfill({file});
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_EQ(first.count("received"), 41);
  EXPECT_EQ(first.count("loaded"), 40);
  EXPECT_EQ(first.count("rejected"), 1);
  EXPECT_EQ(first.count("deleted"), 0) << "an archive keeps what it holds";
  EXPECT_EQ(first.summary().at("source"), "archive");
  EXPECT_TRUE(first.summary().at("queue_after").is_null());
  const Outcome again = backfill({file});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(again.count("duplicate"), 41);
  EXPECT_EQ(again.count("loaded"), 0);
  EXPECT_EQ(rows(), "40");
  EXPECT_EQ(world.database().value("SELECT string_agg(DISTINCT create_date::text, ',') FROM "
                                   "public.user_logins"),
            "2026-03-01");
  EXPECT_FALSE(fs::exists(cursor()));
}

TEST_F(Backfill, gives_the_masks_that_the_queue_gives) {
  world.send_body(login_body("user-1"));
  EXPECT_EQ(world.run().status, 0);
  EXPECT_EQ(backfill({put("a.jsonl", lines_of(1, 1))}).status, 0);
  EXPECT_EQ(rows(), "2");
  EXPECT_EQ(world.database().value("SELECT count(DISTINCT (masked_ip, masked_device_id)) FROM "
                                   "public.user_logins"),
            "1");
}

TEST_F(Backfill, loads_nothing_twice_where_archives_overlap_and_keeps_equal_lines_of_one) {
  const std::string twice = lines_of(7, 1);
  const std::string one = put("one.jsonl", lines_of(0, 10) + twice + twice);
  const std::string two = put("two.jsonl", lines_of(5, 10));
  const Outcome outcome = backfill({one, two});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.count("received"), 22);
  EXPECT_EQ(outcome.count("loaded"), 17);
  EXPECT_EQ(outcome.count("duplicate"), 5);
  EXPECT_EQ(users(), "15");
  EXPECT_EQ(
      world.database().value("SELECT count(*) FROM public.user_logins WHERE user_id = 'user-7'"),
      "3");
  EXPECT_EQ(backfill({two, one}).count("loaded"), 0) << "in another order";
}

TEST_F(Backfill, reads_a_body_of_the_same_text_at_another_time_as_another_message) {
  const std::string file = put("a.jsonl", lines_of(0, 3));
  EXPECT_EQ(backfill({file}).count("loaded"), 3);
  EXPECT_EQ(backfill({file}, {"--sent-at", "2026-03-02T12:00:00Z"}).count("loaded"), 3);
}

TEST_F(Backfill, takes_the_time_from_the_field_that_tells_it) {
  const auto body = [](int user, const std::string& time) {
    return replaced(login_body("user-" + std::to_string(user)), "{", R"({"at":)" + time + ",") +
           "\n";
  };
  const std::string file =
      put("a.jsonl", body(1, R"("2026-02-01T00:00:01Z")") + body(2, "1770000000") +
                         body(3, "1770000000123") + body(4, R"("yesterday")") + lines_of(5, 1));
  const Outcome outcome = backfill({file}, {"--sent-at-from", "at"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.count("loaded"), 3);
  EXPECT_EQ(world.database().value(
                "SELECT string_agg(user_id || ' ' || create_date, ',' ORDER BY user_id) FROM "
                "public.user_logins"),
            "user-1 2026-02-01,user-2 2026-02-02,user-3 2026-02-02");
  EXPECT_EQ(world.database().value("SELECT string_agg(reason || ' ' || field, ',' ORDER BY reason) "
                                   "FROM sluice.rejected_message"),
            "bad-value at,missing-field at");
  EXPECT_EQ(backfill({file}, {"--sent-at-from", "at"}).count("duplicate"), 5);
}

TEST_F(Backfill, leaves_a_time_that_nobody_knows_empty_and_says_so) {
  const std::string file = put("a.jsonl", lines_of(0, 3));
  const Outcome outcome = backfill({file}, {});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("sent-at-unknown"), std::string::npos) << outcome.err;
  EXPECT_TRUE(outcome.summary().at("oldest_message_age_s").is_null());
  EXPECT_TRUE(outcome.summary().at("watermark").is_null());
  EXPECT_EQ(world.database().value("SELECT count(*) FROM public.user_logins WHERE create_date IS "
                                   "NULL"),
            "3");
  EXPECT_EQ(backfill({file}, {}).count("duplicate"), 3);
  edit_pipeline(world, R"("from": "@sent_at",)", R"("from": "@sent_at", "required": true,)");
  const Outcome refused = backfill({file}, {});
  EXPECT_EQ(refused.status, 64) << refused.err;
  EXPECT_NE(refused.err.find("--sent-at"), std::string::npos) << refused.err;
}

TEST_F(Backfill, takes_only_what_was_sent_in_the_time_asked_for) {
  std::string lines;
  for (int day = 1; day <= 9; ++day) {
    lines += replaced(login_body("user-" + std::to_string(day)), "{",
                      R"({"at":"2026-02-0)" + std::to_string(day) + R"(T00:00:00Z",)") +
             "\n";
  }
  const std::string file = put("a.jsonl", lines);
  const Outcome outcome =
      backfill({file}, {"--sent-at-from", "at", "--since", "2026-02-03T00:00:00Z", "--until",
                        "2026-02-06T00:00:00Z"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.count("received"), 3);
  EXPECT_EQ(world.database().value("SELECT string_agg(user_id, ',' ORDER BY user_id) FROM "
                                   "public.user_logins"),
            "user-3,user-4,user-5");
  EXPECT_EQ(backfill({file}, {"--sent-at-from", "at"}).count("loaded"), 6);
}

TEST_F(Backfill, reads_standard_input) {
  const std::string file = put("a.jsonl", lines_of(0, 25));
  for (const int loaded : {25, 0}) {
    const Outcome outcome = Program(world.folder(), words({"-"}), world.variables(),
                                    {"sh", "-c", R"(exec "$@" < )" + file, "sh"})
                                .wait();
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(outcome.count("loaded"), loaded);
  }
  EXPECT_FALSE(fs::exists(cursor())) << "it cannot be read twice";
}

TEST_F(Backfill, of_a_standard_input_that_is_closed_is_refused) {
  const Outcome outcome = Program(world.folder(), words({"-"}), world.variables(),
                                  {"sh", "-c", R"(exec "$@" <&-)", "sh"})
                              .wait();
  EXPECT_EQ(outcome.status, 78) << outcome.err;
  EXPECT_NE(outcome.err.find("input -: cannot read it"), std::string::npos) << outcome.err;
}

class SilentPipe : public Backfill {
 protected:
  /// A backfill of a pipe in which 30 lines came and half of another one, and then nothing.
  std::unique_ptr<Program> start(const std::vector<std::string>& more = {}) {
    world.leave_out("pipe");
    const std::string path = world.folder() + "/pipe";
    if (::mkfifo(path.c_str(), 0600) != 0) throw std::runtime_error("no pipe");
    std::vector<std::string> options = {"--sent-at", kSentAt, "--window-time", "100ms"};
    options.insert(options.end(), more.begin(), more.end());
    auto program =
        std::make_unique<Program>(world.folder(), words({path}, options), world.variables());
    writer_ = std::ofstream(path);  // once it reads
    writer_ << lines_of(0, 31).substr(0, lines_of(0, 30).size() + 20) << std::flush;
    return program;
  }
  void expect_loaded(const Outcome& outcome, int status, const char* stop_reason) {
    EXPECT_EQ(outcome.status, status) << outcome.err;
    EXPECT_EQ(outcome.summary().at("stop_reason"), stop_reason);
    expect_books_add_up(outcome.summary());
    EXPECT_EQ(rows(), "30");
  }

 private:
  std::ofstream writer_;
};

TEST_F(SilentPipe, is_loaded_as_far_as_it_came_and_holds_up_no_stop) {
  const auto program = start();
  world.database().wait_until("(SELECT count(*) FROM public.user_logins) = 30");
  program->signal(SIGTERM);
  expect_loaded(program->wait(), 143, "interrupted");
}

TEST_F(SilentPipe, ends_when_its_time_is_over) {
  expect_loaded(start({"--max-runtime", "5s"})->wait(), 0, "max_runtime");
}

TEST_F(Backfill, needs_neither_queue_nor_credentials) {
  for (const char* name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_SQS"}) {
    world.variables().erase(name);
  }
  EXPECT_EQ(backfill({put("a.jsonl", lines_of(0, 3))}).status, 0);
}

TEST_F(Backfill, keeps_a_checkpoint_of_its_own_beside_that_of_the_hourly_run) {
  world.variables().erase("SLUICE_CHECKPOINT");
  world.variables()["STATE_DIRECTORY"] = world.folder() + "/state";
  world.variables()["SLUICE_WORKER"] = "w";
  world.send(3);
  EXPECT_EQ(world.run().status, 0);
  const Outcome outcome = backfill({put("a.jsonl", lines_of(0, 3))});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.err.find("set-aside"), std::string::npos) << outcome.err;
  EXPECT_TRUE(fs::exists(world.folder() + "/state/user_logins-w.db"));
  EXPECT_TRUE(fs::exists(world.folder() + "/state/user_logins-w-backfill.db"));
}

TEST_F(Backfill, that_only_tries_says_what_would_come_and_changes_nothing) {
  const std::string file = put("a.jsonl", lines_of(0, 40) + "no json\nneither\n");
  const Outcome outcome = backfill({file}, {"--sent-at", kSentAt, "--dry-run"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.summary().at("stop_reason"), "dry_run");
  EXPECT_NE(outcome.err.find("42 messages"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("2 of them would be rejected: not-json"), std::string::npos)
      << outcome.err;
  EXPECT_EQ(rows(), "0");
  EXPECT_EQ(world.database().value("SELECT count(*) FROM sluice.run"), "0");
  EXPECT_FALSE(fs::exists(world.checkpoint()));
  EXPECT_FALSE(fs::exists(cursor()));
}

TEST_F(Backfill, loads_what_stands_before_the_damage_and_says_where_it_is) {
  const std::string file = put("a.json", "[" + login_body("user-1") + "," + login_body("user-2"));
  const Outcome outcome = backfill({file});
  EXPECT_EQ(outcome.status, 78) << outcome.err;
  EXPECT_NE(outcome.err.find("a.json"), std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.summary().at("status"), "failed");
  expect_books_add_up(outcome.summary());
  EXPECT_EQ(rows(), outcome.summary().at("counts").at("loaded") == 2 ? "2" : "1");
  put("a.json", "[" + login_body("user-1") + "," + login_body("user-2") + "]");
  EXPECT_EQ(backfill({file}).status, 0);
  EXPECT_EQ(rows(), "2");
}

TEST_F(Backfill, refuses_what_it_cannot_mean) {
  const std::string file = put("a.jsonl", lines_of(0, 1));
  const std::vector<std::pair<std::vector<std::string>, int>> cases = {
      {{"backfill"}, 64},
      {{"backfill", "--input"}, 64},
      {words({"-", "-"}), 64},
      {words({file}, {"--sent-at", "now"}), 64},
      {words({file}, {"--sent-at", "tomorrow"}), 64},
      {words({file}, {"--sent-at", "2200-01-01T00:00:00Z"}), 64},
      {words({file}, {"--sent-at", "1969-12-31T23:59:59Z"}), 64},
      {words({file}, {"--sent-at", kSentAt, "--envelope", "sqs"}), 64},
      {words({file}, {"--envelope", "sns"}), 64},
      {words({file, world.folder() + "/missing.jsonl"}), 78},
      {words({world.folder()}), 78},
  };
  for (const auto& [arguments, status] : cases) {
    SCOPED_TRACE(testing::PrintToString(arguments));
    const Outcome outcome = world.call(arguments);
    EXPECT_EQ(outcome.status, status) << outcome.err;
    const auto errors = errors_in(outcome.err);
    ASSERT_EQ(errors.size(), 1U) << outcome.err;
    EXPECT_FALSE(errors[0].at("hint").as_string().empty());
  }
  EXPECT_EQ(rows(), "0");
}

TEST_F(Backfill, of_nothing_is_no_error) {
  const Outcome outcome = backfill({put("empty.jsonl", "")});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.count("received"), 0);
  EXPECT_EQ(backfill({put("empty.json", "[]")}, {"--skip-exit-code", "99"}).status, 99);
}

/// Messages as the AWS command line shows them.
class Envelopes : public Archive {
 protected:
  /// What is in the queue, as lines, and then in the queue again.
  std::string lines_of_the_queue() {
    SqsCaller caller(
        {world.aws().endpoint(), SandboxCredentials().access_key, SandboxCredentials().secret_key});
    const auto url =
        caller.call("GetQueueUrl", {{"QueueName", kLoginQueue}}).at("QueueUrl").as_string();
    std::string lines;
    while (true) {
      const auto answer = caller.call("ReceiveMessage", {{"QueueUrl", url},
                                                         {"MaxNumberOfMessages", 10},
                                                         {"MessageSystemAttributeNames", {"All"}},
                                                         {"MessageAttributeNames", {"All"}}});
      if (!answer.contains("Messages") || answer.at("Messages").as_array().empty()) break;
      for (const auto& message : answer.at("Messages").as_array()) {
        lines += boost::json::serialize(message) + "\n";
      }
    }
    world.let_leases_lapse();
    return lines;
  }
};

TEST_F(Envelopes, of_a_queue_are_the_messages_of_the_queue_whichever_came_first) {
  for (const bool archive_first : {true, false}) {
    world.send(30);
    const std::string file = put("a.jsonl", lines_of_the_queue());
    const auto read = [&] { return backfill({file}, {"--envelope", "sqs"}); };
    if (archive_first) {
      EXPECT_EQ(read().count("duplicate"), 0);
    }
    world.run_until_empty();
    const Outcome outcome = read();
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(outcome.count("duplicate"), 30);
    EXPECT_EQ(outcome.count("loaded"), 0);
  }
  world.expect_everything_once();
}

TEST_F(Envelopes, and_their_queue_may_be_loaded_at_once) {
  world.send(1'000);
  const std::string file = put("a.jsonl", lines_of_the_queue());
  Program::Variables other = world.variables();
  other["SLUICE_WORKER"] = "archive";
  other["SLUICE_CHECKPOINT"] = world.folder() + "/archive.db";
  Program archive(world.folder(), words({file}, {"--envelope", "sqs", "--window-messages", "100"}),
                  other);
  const Outcome queue = world.run({"--window-messages", "100"});
  const Outcome outcome = archive.wait();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(queue.status, 0) << queue.err;
  EXPECT_EQ(outcome.count("loaded") + queue.count("loaded") + outcome.count("rejected") +
                queue.count("rejected"),
            1'000);
  world.run_until_empty();
  world.expect_everything_once();
}

TEST_F(Envelopes, that_stand_twice_in_an_archive_are_one_message) {
  world.send_good(25);
  const std::string lines = lines_of_the_queue();
  const Outcome outcome = backfill({put("a.jsonl", lines + lines)}, {"--envelope", "sqs"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.count("loaded"), 25);
  EXPECT_EQ(outcome.count("duplicate"), 25);
  world.run_until_empty();
  world.expect_everything_once();
}

TEST_F(Envelopes, that_are_none_are_rejections) {
  const Outcome outcome =
      backfill({put("a.jsonl", lines_of(0, 2) + "no json\n")}, {"--envelope", "sqs"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.count("rejected"), 3);
  EXPECT_EQ(rows(), "0");
}

}  // namespace
}  // namespace sluice
