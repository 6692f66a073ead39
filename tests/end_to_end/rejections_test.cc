// SPDX-License-Identifier: Apache-2.0
// Rejections that go elsewhere than into their table: to the dead-letter queue, or nowhere.
#include "tests/end_to_end/scene.h"

namespace sluice {
namespace {

constexpr const char* kSource = "logins-with-policy";
constexpr const char* kDead = "logins-dead";

class RejectionsElsewhere : public testing::Test {
 protected:
  void SetUp() override {
    SandboxSqs& sqs = world.aws().sqs();
    dead_url = sqs.add_queue({.name = kDead});
    const std::string url =
        sqs.add_queue({.name = kSource, .max_receive_count = 5, .dead_letter_queue = kDead});
    world.variables()["SLUICE_QUEUE_URL"] = url;
    world.variables()["SLUICE_EMPTY_POLLS"] = "1";
  }

  void send(const std::string& body) { send_to(kSource, body); }
  void send_to(const char* name, const std::string& body) {
    world.aws().sqs().with_queue(
        name, [&](SandboxQueue& queue, Now now) { queue.send({.body = body}, now); });
  }
  QueueTally tally_of(const char* name) {
    QueueTally tally;
    world.aws().sqs().with_queue(name,
                                 [&](SandboxQueue& queue, Now now) { tally = queue.tally(now); });
    return tally;
  }
  Message dead_letter(std::size_t number) {
    Message letter;
    world.aws().sqs().with_queue(
        kDead, [&](SandboxQueue& queue, Now) { letter = queue.message(number).message; });
    return letter;
  }
  static std::string attribute(const Message& message, const std::string& name) {
    for (const MessageAttribute& each : message.attributes) {
      if (each.name == name) return each.value;
    }
    return "";
  }
  std::string rows() { return world.database().value("SELECT count(*) FROM public.user_logins"); }

  LoginWorld world;
  std::string dead_url;
};

TEST_F(RejectionsElsewhere, are_forwarded_as_they_came_with_their_reason_and_then_deleted) {
  world.variables()["SLUICE_REJECTIONS"] = "dead-letter-queue";
  world.database().run("ALTER TABLE public.user_logins ADD CHECK (device_type <> 'toaster')");
  for (int i = 0; i < 20; ++i) send(login_body(std::to_string(i)));
  send("no json");
  send(login_body("refused", "toaster"));
  const Outcome outcome = world.run();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.count("loaded"), 20);
  EXPECT_EQ(outcome.count("rejected"), 2);
  EXPECT_EQ(outcome.count("forwarded"), 2);
  EXPECT_EQ(tally_of(kSource).left(), 0U);
  ASSERT_EQ(tally_of(kDead).sent, 2U);
  Message first = dead_letter(0);
  Message second = dead_letter(1);
  if (first.body != "no json") std::swap(first, second);
  EXPECT_EQ(first.body, "no json");
  EXPECT_EQ(attribute(first, "sluice-reason"), "not-json");
  EXPECT_EQ(attribute(first, "sluice-pipeline"), "user_logins");
  EXPECT_EQ(second.body, login_body("refused", "toaster"));
  EXPECT_EQ(attribute(second, "sluice-reason"), "refused-by-postgres");
  EXPECT_EQ(attribute(second, "sluice-sqlstate"), "23514");
  EXPECT_EQ(world.database().value("SELECT count(*) FROM sluice.rejected_message WHERE "
                                   "forwarded_at IS NOT NULL"),
            "2");
  EXPECT_EQ(world.aws().problems(), std::vector<std::string>{});
}

TEST_F(RejectionsElsewhere, stay_in_the_queue_while_they_cannot_be_forwarded) {
  world.variables()["SLUICE_REJECTIONS"] = "dead-letter-queue";
  for (int i = 0; i < 5; ++i) send(login_body(std::to_string(i)));
  send("no json");
  world.aws().faults().add(
      {.on = "SendMessageBatch", .fault = {.status = 500, .code = "InternalError"}});
  world.variables()["AWS_MAX_ATTEMPTS"] = "1";
  world.variables()["SLUICE_MAX_RUNTIME"] = "5s";
  const auto run = world.start_run();
  const Outcome failed = run->wait(std::chrono::minutes(2));
  EXPECT_EQ(failed.status, 75) << failed.err;
  EXPECT_EQ(tally_of(kSource).left(), 6U);
  world.aws().faults().clear();
  const Outcome outcome = world.run();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(rows(), "5");
  EXPECT_EQ(tally_of(kSource).left(), 0U);
  EXPECT_EQ(tally_of(kDead).sent, 1U);
}

TEST_F(RejectionsElsewhere,
       are_forwarded_by_whoever_receives_them_again_when_the_checkpoint_is_lost) {
  world.variables()["SLUICE_REJECTIONS"] = "dead-letter-queue";
  send("no json");
  const auto gate = std::make_shared<SandboxGate>();
  world.aws().faults().add(
      {.on = "SendMessageBatch", .calls = {1}, .fault = {.gate = gate, .drop_before = true}});
  const auto run = world.start_run();
  ASSERT_TRUE(gate->wait_for_call());
  run->kill();
  run->wait();
  gate->open();
  std::filesystem::remove(world.checkpoint());
  world.aws().sqs().with_queue(kSource, [](SandboxQueue& queue, Now) { queue.show_all(); });
  const Outcome outcome = world.run();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.count("duplicate"), 1);
  EXPECT_EQ(tally_of(kDead).sent, 1U);
  EXPECT_EQ(tally_of(kSource).left(), 0U);
}

TEST_F(RejectionsElsewhere, that_are_left_go_the_way_of_the_queues_own_policy) {
  world.variables()["SLUICE_REJECTIONS"] = "leave";
  world.database().run("ALTER TABLE public.user_logins ADD CHECK (device_type <> 'toaster')");
  for (int i = 0; i < 20; ++i) send(login_body(std::to_string(i)));
  send("no json");
  send(login_body("refused", "toaster"));
  for (int delivery = 1; delivery <= 5; ++delivery) {
    SCOPED_TRACE(delivery);
    const Outcome outcome = world.run();
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(outcome.count("rejected"), 2);
    EXPECT_EQ(outcome.count("deleted"), delivery == 1 ? 20 : 0);
    EXPECT_EQ(tally_of(kSource).left(), 2U);
    world.aws().sqs().with_queue(kSource, [](SandboxQueue& queue, Now) { queue.show_all(); });
  }
  EXPECT_EQ(world.run().status, 0);
  EXPECT_EQ(tally_of(kSource).left(), 0U);
  EXPECT_EQ(tally_of(kDead).left(), 2U);
  EXPECT_EQ(rows(), "20");
  EXPECT_EQ(world.database().value("SELECT count(*) FROM sluice.rejected_message"), "0");
}

TEST_F(RejectionsElsewhere, are_refused_for_a_queue_without_a_redrive_policy) {
  world.variables().erase("SLUICE_QUEUE_URL");  // the pipeline's own
  world.send(3);
  for (const char* place : {"leave", "dead-letter-queue"}) {
    const Outcome outcome = world.run({"--rejections", place});
    EXPECT_EQ(outcome.status, 78) << outcome.err;
    EXPECT_NE(outcome.err.find("no redrive policy"), std::string::npos) << outcome.err;
    EXPECT_EQ(tally(world).deliveries, 0U);
  }
}

TEST_F(RejectionsElsewhere, are_redriven_by_a_run_on_the_dead_letter_queue_itself) {
  world.variables()["SLUICE_REJECTIONS"] = "dead-letter-queue";
  world.database().run(
      "ALTER TABLE public.user_logins ADD CONSTRAINT no_toaster CHECK "
      "(device_type <> 'toaster')");
  send(login_body("first", "toaster"));
  EXPECT_EQ(world.run().status, 0);
  EXPECT_EQ(rows(), "0");
  world.database().run("ALTER TABLE public.user_logins DROP CONSTRAINT no_toaster");
  world.variables()["SLUICE_QUEUE_URL"] = dead_url;
  world.variables()["SLUICE_REJECTIONS"] = "table";
  world.variables()["SLUICE_CHECKPOINT"] = world.folder() + "/redrive.db";
  const Outcome outcome = world.run({"--worker", "redrive"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(rows(), "1");
  EXPECT_EQ(tally_of(kDead).left(), 0U);
}

TEST_F(RejectionsElsewhere, a_right_to_send_that_is_missing_is_found_by_check) {
  world.aws().faults().add(
      {.on = "SendMessageBatch", .fault = {.status = 403, .code = "AccessDenied"}});
  const Outcome outcome = world.call({"check", "--rejections", "dead-letter-queue"});
  EXPECT_EQ(outcome.status, 77) << outcome.out << outcome.err;
  EXPECT_NE(outcome.out.find("sqs:SendMessage"), std::string::npos) << outcome.out;
}

}  // namespace
}  // namespace sluice
