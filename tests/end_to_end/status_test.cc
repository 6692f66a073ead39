// SPDX-License-Identifier: Apache-2.0
// `sluice status` in every weather: while a run works, after one that was cut short, with a part of
// the world away, before there is anything and with ten thousand runs. It never changes a byte of a
// checkpoint, nor a message of the queue.
#include <algorithm>
#include <csignal>
#include <map>
#include <set>
#include <utility>

#include "tests/end_to_end/scene.h"

namespace sluice {
namespace {

using boost::json::object;

class StatusCommand : public testing::Test {
 protected:
  StatusCommand() { world.answer_empty_polls_at_once(); }
  ~StatusCommand() override { EXPECT_EQ(received_by_status_, 0U) << "a status received messages"; }

  /// `sluice status …`. It leaves the checkpoint as it was.
  Outcome status(const std::vector<std::string>& more = {}, bool beside_a_run = false) {
    std::vector<std::string> words = {"status"};
    words.insert(words.end(), more.begin(), more.end());
    const auto before = files();
    const std::size_t deliveries = tally(world).deliveries;
    Outcome outcome = world.call(words);
    if (!beside_a_run) {
      EXPECT_EQ(files(), before) << "status changed the checkpoint";
      received_by_status_ += tally(world).deliveries - deliveries;
    }
    return outcome;
  }
  object seen(int expected_status = 0, bool beside_a_run = false) {
    const Outcome outcome = status({"--json"}, beside_a_run);
    EXPECT_EQ(outcome.status, expected_status) << outcome.out << outcome.err;
    const auto shown = outcome.summary();
    EXPECT_TRUE(shown.contains("next")) << outcome.out;
    return shown;
  }

  /// What lies where the checkpoint does, with its journal.
  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> all;
    for (const auto& entry : std::filesystem::directory_iterator(world.folder())) {
      const std::string name = entry.path().filename();
      if (name.starts_with("checkpoint.db")) all[name] = text_of(entry.path());
    }
    return all;
  }

  /// Ids of what the queue still has.
  std::set<std::string> left() {
    std::set<std::string> ids;
    world.aws().sqs().with_queue(kLoginQueue, [&](SandboxQueue& queue, Now now) {
      for (std::size_t number = 0; number < queue.tally(now).sent; ++number) {
        if (!queue.is_deleted(number)) ids.insert(queue.message(number).message.id);
      }
    });
    return ids;
  }

  /// Sends 50 messages and stops a run when it has deleted some of them.
  void run_with_deletes_left() {
    world.send_good(50);
    const auto gate = std::make_shared<SandboxGate>();
    world.aws().faults().add({.on = "DeleteMessageBatch",
                              .calls = {4},  // the first proves the right
                              .fault = {.gate = gate, .drop_before = true}});
    const auto run = world.start_run({"--window-messages", "50"});
    ASSERT_TRUE(gate->wait_for_call());
    run->signal(SIGTERM);
    EXPECT_EQ(run->wait().status, 143);
    gate->open();
  }

  LoginWorld world;

 private:
  std::size_t received_by_status_ = 0;
};

std::string next_of(const object& status) {
  return boost::json::serialize(status.at("next").as_array());
}

void expect_has(const std::string& text, const std::string& words) {
  EXPECT_NE(text.find(words), std::string::npos) << "not there: " << words << "\n" << text;
}

TEST(StatusOfNothing, on_a_fresh_database_it_says_how_to_begin_and_shows_the_rest) {
  LoginWorld world(false);
  const Outcome outcome = world.call({"status", "--json"});
  EXPECT_EQ(outcome.status, 78);
  const object status = outcome.summary();
  EXPECT_TRUE(status.at("runs").is_null());
  EXPECT_TRUE(status.at("rejections").is_null());
  EXPECT_EQ(status.at("queue").at("visible"), 0);
  EXPECT_EQ(status.at("errors").at(0).at("part"), "postgres");
  expect_has(next_of(status), "sluice migrate");
  EXPECT_EQ(errors_in(outcome.err).size(), 1U) << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(world.checkpoint())) << "a status makes no checkpoint";
}

TEST_F(StatusCommand, before_the_first_run) {
  const object status = seen();
  EXPECT_TRUE(status.at("runs").as_array().empty());
  EXPECT_EQ(status.at("checkpoint").at("exists"), false);
  expect_has(next_of(status), "sluice run");
  expect_has(this->status().out, "runs\n  none yet\n");
  EXPECT_TRUE(this->status({"--undeleted"}).out.starts_with("no checkpoint "));
}

TEST_F(StatusCommand, after_a_good_run_it_proves_that_all_is_deleted) {
  world.send_good(50);
  EXPECT_EQ(world.run().status, 0);
  const object status = seen();
  EXPECT_EQ(status.at("runs").at(0).at("state"), "ended");
  EXPECT_EQ(status.at("runs").at(0).at("counts").at("received"), 50);
  EXPECT_EQ(status.at("checkpoint").at("undeleted"), 0);
  EXPECT_EQ(status.at("checkpoint").at("closed").at("messages"), 50);
  EXPECT_TRUE(status.at("backlog").at("loaded_up_to").is_string());
  EXPECT_EQ(status.at("next").at(0), "nothing to do");
  const Outcome proof = this->status({"--undeleted"});
  EXPECT_EQ(proof.status, 0);
  EXPECT_TRUE(proof.out.starts_with("nothing is left to delete")) << proof.out;
  expect_has(proof.out, "(50 messages)");
}

TEST_F(StatusCommand, what_is_loaded_and_not_deleted_is_listed_as_the_queue_still_has_it) {
  world.send_good(20);
  world.aws().faults().add({.on = "DeleteMessageBatch",
                            .when =
                                [first = true](const auto&) mutable {  // which proves the right
                                  return !std::exchange(first, false);
                                },
                            .fault = {.fail_entries = 3}});
  // One receive at a time, or it may be two windows, with three left in each.
  EXPECT_EQ(world.run({"--receivers", "1"}).status, 75);
  world.aws().faults().clear();
  const std::set<std::string> left = this->left();
  ASSERT_EQ(left.size(), 3U);

  std::istringstream lines(status({"--undeleted"}).out);
  std::set<std::string> listed;
  for (std::string id, sent_at; lines >> id >> sent_at;) {
    listed.insert(id);
    EXPECT_EQ(
        world.database().value("SELECT count(*) FROM sluice.loaded_message WHERE message_id = '" +
                               id + "' AND sent_at = '" + sent_at + "'"),
        "1");
  }
  EXPECT_EQ(listed, left);
  const object json = status({"--undeleted", "--json"}).summary();
  std::set<std::string> in_json;
  for (const auto& each : json.at("undeleted").as_array()) {
    in_json.insert(std::string(each.at("message_id").as_string()));
  }
  EXPECT_EQ(in_json, left);
  EXPECT_EQ(seen().at("checkpoint").at("undeleted"), 3);
  expect_has(next_of(seen()), "deletes the 3 messages");

  EXPECT_EQ(world.run().status, 0);
  EXPECT_EQ(seen().at("checkpoint").at("undeleted"), 0);
  EXPECT_TRUE(this->left().empty());
  world.expect_everything_once();
}

TEST_F(StatusCommand, with_postgres_and_queue_away_what_the_checkpoint_tells_is_still_there) {
  run_with_deletes_left();
  world.variables()["PGPORT"] = "1";
  world.variables()["AWS_ENDPOINT_URL_SQS"] = "http://127.0.0.1:1";
  world.variables()["AWS_MAX_ATTEMPTS"] = "1";
  const object status = seen(75);
  EXPECT_TRUE(status.at("runs").is_null());
  EXPECT_TRUE(status.at("queue").is_null());
  // What a stopped run asked for last was perhaps deleted: it is on the list all the same.
  const auto left = status.at("checkpoint").at("undeleted").to_number<std::size_t>();
  EXPECT_GE(left, this->left().size());
  EXPECT_GT(left, 0U);
  EXPECT_EQ(status.at("errors").as_array().size(), 2U);
  const Outcome text = this->status();
  EXPECT_EQ(text.status, 75);
  expect_has(text.out, "runs\n  not known: connecting: Postgres database");
  expect_has(text.out, "backlog\n  not known: ");
  expect_has(text.out, "  " + std::to_string(left) + " messages are loaded and not yet deleted");
  const Outcome listed = this->status({"--undeleted"});
  EXPECT_EQ(listed.status, 0) << "it needs neither of them";
  EXPECT_EQ(std::count(listed.out.begin(), listed.out.end(), '\n'), std::ptrdiff_t(left));
}

TEST_F(StatusCommand, with_the_queue_away_alone_it_succeeds) {
  world.variables()["AWS_ENDPOINT_URL_SQS"] = "http://127.0.0.1:1";
  world.variables()["AWS_MAX_ATTEMPTS"] = "1";
  const object status = seen(0);
  EXPECT_TRUE(status.at("queue").is_null());
  EXPECT_EQ(status.at("errors").at(0).at("part"), "queue");
}

TEST_F(StatusCommand, while_a_run_is_at_work) {
  world.send_good(60);
  const auto gate = gate_before(world, "DeleteMessageBatch", 2);  // the first proves the right
  const auto run = world.start_run({"--window-messages", "20", "--receivers", "1"});
  ASSERT_TRUE(gate->wait_for_call());
  const object status = seen(0, true);
  const auto& first = status.at("runs").at(0);
  EXPECT_EQ(first.at("state"), "running");
  EXPECT_GE(first.at("so_far").at("loaded").to_number<int>(), 20);
  const std::string holder = "process " + std::to_string(run->pid());
  EXPECT_TRUE(status.at("checkpoint").at("in_use_by").as_string().starts_with(holder)) << status;
  EXPECT_TRUE(status.at("checkpoint").at("undeleted").is_null()) << "nobody can know";
  expect_has(next_of(status), "a run is at work");
  expect_has(this->status({}, true).out, "  in use by " + holder);
  const Outcome listed = this->status({"--undeleted"}, true);
  EXPECT_EQ(listed.status, 75);
  EXPECT_EQ(listed.out, "");
  EXPECT_EQ(errors_in(listed.err).size(), 1U) << listed.err;
  gate->open();
  EXPECT_EQ(run->wait().status, 0);
  EXPECT_EQ(seen().at("runs").at(0).at("state"), "ended");
  world.expect_everything_once();
}

TEST_F(StatusCommand, with_a_checkpoint_that_is_damaged) {
  write_text(world.checkpoint(), "no checkpoint");
  const object status = seen();
  EXPECT_TRUE(status.at("checkpoint").at("problem").is_string());
  EXPECT_TRUE(status.at("checkpoint").at("undeleted").is_null());
  expect_has(next_of(status), "puts the checkpoint aside");
  expect_has(this->status().out, "is damaged");
  EXPECT_EQ(this->status({"--undeleted"}).status, 75);
}

TEST_F(StatusCommand, with_a_checkpoint_that_can_be_none_or_is_anothers) {
  world.send_good(5);
  EXPECT_EQ(world.run().status, 0);
  edit_pipeline(world, "\"name\": \"user_logins\"", "\"name\": \"others\"");
  const object status = seen(78);
  EXPECT_TRUE(status.at("checkpoint").is_null());
  expect_has(boost::json::serialize(status.at("errors")), "belongs to pipeline 'user_logins'");
  EXPECT_TRUE(status.at("runs").is_array());
  EXPECT_EQ(this->status({"--undeleted"}).status, 78);
  world.variables()["SLUICE_CHECKPOINT"] = "relative.db";
  EXPECT_TRUE(seen(78).at("checkpoint").is_null());
}

TEST_F(StatusCommand, a_backfill_that_was_cut_short_is_shown_until_it_is_finished) {
  std::string archive;
  for (int i = 0; i < 20; ++i) archive += login_body("user-" + std::to_string(i)) + "\n";
  write_text(world.folder() + "/archive.jsonl", archive);
  world.leave_out("archive.jsonl");
  world.variables().erase("SLUICE_CHECKPOINT");
  world.variables()["STATE_DIRECTORY"] = world.folder();
  EXPECT_TRUE(seen().at("backfill").is_null());
  std::vector<std::string> backfill = {"backfill", "--input", world.folder() + "/archive.jsonl",
                                       "--sent-at", "2026-11-20T10:00:00Z"};
  backfill.insert(backfill.end(), {"--max-messages", "5"});
  ASSERT_EQ(world.call(backfill).status, 0);
  const object status = seen();
  EXPECT_EQ(status.at("backfill").at("unfinished"), true);
  EXPECT_EQ(status.at("runs").at(0).at("source"), "archive");
  EXPECT_TRUE(status.at("backlog").at("loaded_up_to").is_null()) << "it says nothing of the queue";
  expect_has(next_of(status), "the same `sluice backfill` again");
  expect_has(this->status().out, "-backfill.db\n  unfinished\n");
  backfill.resize(backfill.size() - 2);
  ASSERT_EQ(world.call(backfill).status, 0);
  expect_has(this->status().out, "-backfill.db\n  finished\n");
  EXPECT_EQ(next_of(seen()).find("backfill"), std::string::npos);
}

TEST_F(StatusCommand, with_the_rights_of_a_reader_and_without_any) {
  world.send_body("{");
  EXPECT_EQ(world.run().status, 0);
  const std::string reader = "reader_of_" + world.database().name();
  world.database().run("CREATE ROLE " + reader + " LOGIN");
  world.variables()["SLUICE_POSTGRES"] = world.database().conninfo(reader);
  const object refused = seen(77);
  EXPECT_TRUE(refused.at("runs").is_null());
  expect_has(next_of(refused), "sluice_reader");
  world.database().run("GRANT sluice_reader TO " + reader);
  const object status = seen(0);
  EXPECT_EQ(status.at("runs").as_array().size(), 1U);
  const auto& rejected = status.at("rejections").at(0);
  EXPECT_EQ(rejected.at("reason"), "not-json");
  EXPECT_EQ(rejected.at("messages"), 1);
  EXPECT_EQ(rejected.at("last_day"), 1);
  expect_has(next_of(status), "1 messages were rejected");
  world.variables().erase("SLUICE_POSTGRES");
  world.database().run("DROP OWNED BY " + reader + "; DROP ROLE " + reader);
}

TEST_F(StatusCommand, of_ten_thousand_runs_the_last_are_found_by_an_index) {
  world.database().run(
      "INSERT INTO sluice.run SELECT gen_random_uuid(), 'user_logins', '', 'one',"
      " now() - n * interval '1 hour', now() - n * interval '1 hour', 0, 'drained',"
      R"( '{"status":"ok","duration_s":1.5,"counts":{"received":7,"loaded":7,"rows":{"t":7}}}')"
      " FROM generate_series(1, 10000) AS n; ANALYZE sluice.run");
  EXPECT_EQ(seen().at("runs").as_array().size(), 10U);
  const Outcome all = status({"--runs", "1000"});
  EXPECT_EQ(all.status, 0);
  EXPECT_GT(std::count(all.out.begin(), all.out.end(), '\n'), 1000);
  EXPECT_EQ(status({"--runs", "0"}).status, 64);
  EXPECT_EQ(status({"--runs", "1001"}).status, 64);
  std::string plan;
  for (const Row& row :
       world.database().rows("EXPLAIN SELECT * FROM sluice.run WHERE pipeline = 'user_logins'"
                             " ORDER BY started_at DESC LIMIT 10")) {
    plan += row[0] + "\n";
  }
  expect_has(plan, "run_started_at");
}

TEST_F(StatusCommand, the_chart_is_of_characters_that_the_terminal_has) {
  world.send_good(5);
  EXPECT_EQ(world.run().status, 0);
  EXPECT_EQ(status().out.find("█"), std::string::npos);
  world.variables()["LANG"] = "en_US.UTF-8";
  expect_has(status().out, "█");
  world.variables()["LC_ALL"] = "C";
  EXPECT_EQ(status().out.find("█"), std::string::npos);
}

}  // namespace
}  // namespace sluice
