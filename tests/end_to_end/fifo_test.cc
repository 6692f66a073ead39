// SPDX-License-Identifier: Apache-2.0
// A FIFO queue: order inside a group in the table, blocked groups, and faults in the middle of one.
#include <map>
#include <set>

#include "tests/end_to_end/scene.h"

namespace sluice {
namespace {

constexpr const char* kFifo = "logins.fifo";

class Fifo : public testing::Test {
 protected:
  void SetUp() override {
    world.variables()["SLUICE_QUEUE_URL"] = world.aws().sqs().add_queue({.name = kFifo});
    world.variables()["SLUICE_EMPTY_POLLS"] = "1";
  }
  /// The user's id is "GROUP/NUMBER".
  void send(int groups, int each) {
    world.aws().sqs().with_queue(kFifo, [&](SandboxQueue& queue, Now now) {
      for (int number = 1000; number < 1000 + each; ++number) {
        for (int group = 0; group < groups; ++group) {
          const std::string name = "g" + std::to_string(group);
          const std::string user = name + "/" + std::to_string(number);
          queue.send({.body = login_body(user), .group = name, .deduplication = user}, now);
        }
      }
    });
  }
  std::size_t left() {
    std::size_t left = 0;
    world.aws().sqs().with_queue(
        kFifo, [&](SandboxQueue& queue, Now now) { left = queue.tally(now).left(); });
    return left;
  }
  void expect_each_once_and_in_order(int groups, int each) {
    std::map<std::string, int> last;
    int rows = 0;
    for (const Row& row :
         world.database().rows("SELECT user_id FROM public.user_logins ORDER BY ctid")) {
      const std::size_t slash = row[0].find('/');
      int& before = last.try_emplace(row[0].substr(0, slash), 999).first->second;
      const int number = std::stoi(row[0].substr(slash + 1));
      EXPECT_EQ(number, before + 1) << row[0];
      before = number;
      ++rows;
    }
    EXPECT_EQ(rows, groups * each);
    EXPECT_EQ(left(), 0U);
    EXPECT_EQ(world.aws().problems(), std::vector<std::string>{});
  }

  LoginWorld world;
};

TEST_F(Fifo, rows_of_a_group_stand_in_the_order_in_which_they_were_sent) {
  send(7, 45);
  const Outcome outcome = world.run({"--window-messages", "16"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.summary().at("stop_reason"), "drained");
  expect_each_once_and_in_order(7, 45);
}

TEST_F(Fifo, a_lost_answer_is_asked_for_again_by_the_same_attempt) {
  send(3, 30);
  world.aws().faults().add(
      {.on = "ReceiveMessage", .calls = {1, 3, 5}, .fault = {.drop_after = true}});
  world.aws().faults().add(
      {.on = "DeleteMessageBatch", .calls = {3, 5}, .fault = {.drop_after = true}});
  EXPECT_EQ(world.run().status, 0);
  expect_each_once_and_in_order(3, 30);
}

TEST_F(Fifo, no_message_is_deleted_before_an_earlier_one_of_its_group) {
  send(4, 25);
  world.aws().faults().add({.on = "DeleteMessageBatch",
                            .calls = {3, 4, 6},
                            .fault = {.status = 500, .code = "InternalError"}});
  std::vector<std::string> passed;
  world.aws().before_effect([&](const std::string& operation, const boost::json::object& request) {
    if (operation != "DeleteMessageBatch") return;
    world.aws().sqs().with_queue(kFifo, [&](SandboxQueue& queue, Now now) {
      std::set<std::size_t> here;
      for (const auto& entry : request.at("Entries").as_array()) {
        const auto number = queue.number_of(std::string(entry.at("ReceiptHandle").as_string()));
        if (number) here.insert(*number);
      }
      for (const std::size_t number : here) {
        const std::string group = queue.message(number).message.group;
        for (std::size_t earlier = 0; earlier < number; ++earlier) {
          if (queue.message(earlier).message.group == group && !queue.is_deleted(earlier) &&
              !here.contains(earlier)) {
            passed.push_back(queue.message(number).message.body);
          }
        }
      }
      static_cast<void>(now);
    });
  });
  const Outcome outcome = world.run();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(passed, std::vector<std::string>{});
  expect_each_once_and_in_order(4, 25);
}

TEST_F(Fifo, a_killed_run_is_finished_by_the_next_one_in_order) {
  send(3, 20);
  const auto gate = gate_before(world, "DeleteMessageBatch", 2);
  const auto run = world.start_run();
  ASSERT_TRUE(gate->wait_for_call());
  run->kill();
  run->wait();
  gate->open();
  world.aws().faults().clear();
  // The polls of the killed run may still take messages, and hide them from the next one.
  for (int runs = 0; runs < 5 && left() > 0; ++runs) {
    world.aws().sqs().with_queue(kFifo, [](SandboxQueue& queue, Now) { queue.show_all(); });
    const Outcome outcome = world.run();
    EXPECT_EQ(outcome.status, 0) << outcome.err;
  }
  expect_each_once_and_in_order(3, 20);
}

TEST_F(Fifo, a_delete_after_the_lease_has_ended_fails_and_blocks_no_group) {
  send(2, 10);
  TestSession holder = world.database().session();
  holder.run("BEGIN; LOCK TABLE public.user_logins IN ACCESS EXCLUSIVE MODE");
  const auto run = world.start_run();
  wait_until_load_is_held(world);
  world.aws().sqs().with_queue(kFifo, [](SandboxQueue& queue, Now) { queue.show_all(); });
  holder.run("ROLLBACK");
  const Outcome first = run->wait();
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_GT(first.count("delete_failed"), 0);
  expect_books_add_up(first.summary());
  world.aws().sqs().with_queue(kFifo, [](SandboxQueue& queue, Now) { queue.show_all(); });
  EXPECT_EQ(world.run().status, 0);
  expect_each_once_and_in_order(2, 10);
}

TEST_F(Fifo, rejections_that_are_left_stop_their_group_and_no_other) {
  world.aws().sqs().add_queue({.name = "dead.fifo"});
  const std::string url = world.aws().sqs().add_queue(
      {.name = "policy.fifo", .max_receive_count = 2, .dead_letter_queue = "dead.fifo"});
  world.aws().sqs().with_queue("policy.fifo", [](SandboxQueue& queue, Now now) {
    for (int number = 0; number < 6; ++number) {
      for (const std::string group : {"a", "b"}) {
        const std::string user = group + "/" + std::to_string(number);
        const bool bad = user == "a/2";
        queue.send(
            {.body = bad ? "no json" : login_body(user), .group = group, .deduplication = user},
            now);
      }
    }
  });
  world.variables()["SLUICE_QUEUE_URL"] = url;
  const Outcome outcome = world.run({"--rejections", "leave"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.count("loaded"), 8);
  EXPECT_EQ(outcome.count("deleted"), 8);
  EXPECT_EQ(world.database().value("SELECT string_agg(user_id, ' ' ORDER BY user_id) FROM "
                                   "public.user_logins WHERE user_id LIKE 'a/%'"),
            "a/0 a/1");
}

}  // namespace
}  // namespace sluice
