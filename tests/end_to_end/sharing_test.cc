// SPDX-License-Identifier: Apache-2.0
// Several runs at once: workers side by side, and two that want the same checkpoint.
#include <sys/stat.h>

#include "tests/end_to_end/scene.h"

namespace sluice {
namespace {

TEST(Sharing, four_workers_and_a_queue_that_repeats_itself_load_everything_once) {
  LoginWorld world;
  world.send(1000);
  world.aws().faults().add({.on = "ReceiveMessage", .chance = 0.3, .fault = {.twice = true}});
  std::vector<std::unique_ptr<Program>> workers;
  for (const char* worker : {"a", "b", "c", "d"}) {
    workers.push_back(
        world.start_run({"--worker", worker, "--window-messages", "40", "--run-group", "together",
                         "--checkpoint", world.folder() + "/" + worker + ".db"}));
  }
  std::int64_t loaded = 0;
  std::int64_t rejected = 0;
  for (const auto& worker : workers) {
    const Outcome outcome = worker->wait();
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    expect_books_add_up(outcome.summary());
    loaded += outcome.count("loaded");
    rejected += outcome.count("rejected");
  }
  EXPECT_EQ(loaded + rejected, 1000);
  world.expect_everything_once();
  EXPECT_EQ(world.database().value("SELECT count(*) FROM sluice.run WHERE run_group = 'together' "
                                   "AND exit_code = 0"),
            "4");
}

TEST(Sharing, a_checkpoint_in_use_is_a_temporary_failure_that_names_who_has_it) {
  LoginWorld world;
  world.variables()["SLUICE_SUMMARY_FILE"] = world.folder() + "/summary.json";
  const auto gate = gate_before(world, "ReceiveMessage");
  const auto first = world.start_run({"--max-messages", "1"});
  ASSERT_TRUE(gate->wait_for_call());

  const Outcome second = world.run();
  EXPECT_EQ(second.status, 75) << second.err;
  EXPECT_NE(second.err.find("process " + std::to_string(first->pid())), std::string::npos)
      << second.err;
  EXPECT_EQ(second.summary().at("error").at("fault"), "locked");
  EXPECT_EQ(boost::json::parse(text_of(world.folder() + "/summary.json")), second.summary());
  expect_books_add_up(second.summary());

  const Outcome skipped = world.run({"--skip-exit-code", "99"});
  EXPECT_EQ(skipped.status, 99) << skipped.err;
  EXPECT_EQ(skipped.summary().at("status"), "skipped");

  const Outcome check = world.call({"check"});
  EXPECT_EQ(check.status, 0) << check.out;
  EXPECT_NE(check.out.find(std::to_string(first->pid())), std::string::npos) << check.out;

  world.send(1);
  gate->open();
  EXPECT_EQ(first->wait().status, 0);
  world.expect_everything_once();
}

TEST(Sharing, the_lock_of_a_killed_run_is_free) {
  LoginWorld world;
  world.send(20);
  const auto gate = gate_before(world, "DeleteMessageBatch", 2);
  const auto killed = world.start_run();
  ASSERT_TRUE(gate->wait_for_call());
  killed->kill();
  EXPECT_EQ(killed->wait().status, 137);
  world.aws().faults().clear();
  const Outcome next = world.run({"--empty-polls", "1"});
  EXPECT_EQ(next.status, 0) << next.err;
  EXPECT_EQ(next.count("deleted"), 20);
  world.expect_everything_once();
}

TEST(Sharing, by_default_each_worker_has_a_checkpoint_of_its_own) {
  LoginWorld world;
  world.variables().erase("SLUICE_CHECKPOINT");
  world.variables().erase("SLUICE_WORKER");
  world.variables()["STATE_DIRECTORY"] = world.folder() + "/state/sluice";
  EXPECT_EQ(world.run({"--worker", "two", "--empty-polls", "1"}).status, 0);
  world.variables()["JOB_COMPLETION_INDEX"] = "3";
  EXPECT_EQ(world.run({"--empty-polls", "1"}).status, 0);
  const std::string folder = world.folder() + "/state/sluice";
  EXPECT_TRUE(std::filesystem::exists(folder + "/user_logins-two.db"));
  EXPECT_TRUE(std::filesystem::exists(folder + "/user_logins-3.db"));
  struct stat about {};
  ASSERT_EQ(::stat(folder.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0700U);
  ASSERT_EQ(::stat((folder + "/user_logins-3.db").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0077, 0U);
}

}  // namespace
}  // namespace sluice
