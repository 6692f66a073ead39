// SPDX-License-Identifier: Apache-2.0
// The real program before a queue that does what SQS may do: batches that fail in part, receipts
// that are stale, leases that end too early, messages that come again after their delete.
#include <set>
#include <thread>
#include <utility>

#include "tests/end_to_end/scene.h"

namespace sluice {
namespace {

constexpr const char* kDelete = "DeleteMessageBatch";

class QueueTrouble : public testing::Test {
 protected:
  QueueTrouble() { world.variables()["SLUICE_EMPTY_POLLS"] = "1"; }

  /// A run whose loads wait until `holder` lets them; it has one whole window of `count` by then.
  std::unique_ptr<Program> start_held(int count) {
    holder.run("BEGIN; LOCK TABLE public.user_logins IN ACCESS EXCLUSIVE MODE");
    world.send(count);
    auto run = world.start_run({"--window-messages", std::to_string(count)});
    wait_until_load_is_held(world);
    return run;
  }
  /// The values of `field` in the receives of a run.
  std::set<std::int64_t> received_with(const std::string& field,
                                       const std::vector<std::string>& arguments = {}) {
    std::set<std::int64_t> values;
    world.aws().before_effect([&](const std::string& called, const boost::json::object& request) {
      if (called == "ReceiveMessage") values.insert(request.at(field).to_number<std::int64_t>());
    });
    const Outcome outcome = world.run(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    world.aws().before_effect([](const std::string&, const boost::json::object&) {});
    return values;
  }

  LoginWorld world;
  TestSession holder = world.database().session();
};

TEST_F(QueueTrouble, entries_that_fail_in_a_batch_that_succeeds_are_deleted_by_another) {
  world.send(20);
  world.aws().faults().add({.on = kDelete, .calls = {2}, .fault = {.fail_entries = 3}});
  const Outcome outcome = world.run();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.count("deleted"), 20);
  EXPECT_EQ(tally(world).deliveries, 20U);
  world.expect_everything_once();
}

TEST_F(QueueTrouble, deletes_that_keep_failing_end_with_75_and_the_next_run_begins_with_them) {
  world.send(20);
  world.aws().faults().add({.on = kDelete,
                            .when =
                                [first = true](const auto&) mutable {  // which proves the right
                                  return !std::exchange(first, false);
                                },
                            .fault = {.fail_entries = 3}});
  const Outcome first = world.run();
  EXPECT_EQ(first.status, 75) << first.err;
  EXPECT_EQ(first.count("loaded") + first.count("rejected"), 20);
  EXPECT_EQ(first.count("carried_out"), 0);
  expect_books_add_up(first.summary());
  EXPECT_EQ(world.left_in_queue(), 3U);
  world.aws().faults().clear();
  const Outcome second = world.run();
  EXPECT_EQ(second.status, 0) << second.err;
  EXPECT_EQ(second.count("received"), 0);
  EXPECT_EQ(second.count("deleted"), 3);
  world.expect_everything_once();
}

TEST_F(QueueTrouble, a_delete_call_that_fails_is_made_again_after_the_others) {
  world.variables()["AWS_MAX_ATTEMPTS"] = "1";
  world.send(40);
  world.aws().faults().add(
      {.on = kDelete, .calls = {2}, .fault = {.status = 500, .code = "InternalError"}});
  const Outcome outcome = world.run();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.count("deleted"), 40);
  EXPECT_EQ(tally(world).deliveries, 40U);
  world.expect_everything_once();
}

TEST_F(QueueTrouble, a_stale_receipt_that_succeeds_and_deletes_nothing_costs_no_second_row) {
  const auto run = start_held(20);
  world.aws().sqs().with_queue(kLoginQueue, [](SandboxQueue& queue, Now now) {
    queue.show_all();
    for (int i = 0; i < 2; ++i) queue.receive(10, 600, now);  // someone else has them now
  });
  holder.run("ROLLBACK");
  const Outcome first = run->wait();
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_EQ(first.count("deleted"), 20);
  EXPECT_EQ(world.left_in_queue(), 20U);
  world.let_leases_lapse();
  const Outcome second = world.run();
  EXPECT_EQ(second.status, 0) << second.err;
  EXPECT_EQ(second.count("duplicate"), 20);
  EXPECT_EQ(second.count("deleted"), 20);
  world.expect_everything_once();
}

TEST_F(QueueTrouble, what_comes_again_because_its_lease_ended_under_a_load_is_a_duplicate) {
  const auto run = start_held(20);
  world.let_leases_lapse();
  while (tally(world).deliveries < 40) std::this_thread::yield();
  holder.run("ROLLBACK");
  const Outcome outcome = run->wait();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.count("received"), 40);
  EXPECT_EQ(outcome.count("duplicate"), 20);
  expect_books_add_up(outcome.summary());
  world.expect_everything_once();
}

TEST_F(QueueTrouble, what_comes_again_after_its_delete_is_a_duplicate_without_any_checkpoint) {
  world.send(40);
  EXPECT_EQ(world.run().status, 0);
  deliver_all_again(world);
  std::filesystem::remove(world.checkpoint());
  std::filesystem::remove(world.checkpoint() + "-journal");
  const Outcome again = world.run();
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(again.count("loaded") + again.count("rejected"), 0);
  EXPECT_EQ(again.count("duplicate"), 40);
  EXPECT_EQ(again.count("deleted"), 40);
  world.expect_everything_once();
  world.let_leases_lapse();
  EXPECT_EQ(world.run().count("received"), 0) << "a duplicate is deleted, or it comes for ever";
}

TEST_F(QueueTrouble, the_visibility_timeout_of_the_queue_is_never_made_shorter) {
  const std::string field = "VisibilityTimeout";
  world.use_queue({.name = "patient", .visibility_s = 300});
  EXPECT_EQ(received_with(field), std::set<std::int64_t>{300});
  EXPECT_EQ(received_with(field, {"--visibility-timeout", "60s"}), std::set<std::int64_t>{300});
  EXPECT_EQ(received_with(field, {"--visibility-timeout", "10m"}), std::set<std::int64_t>{600});
}

TEST_F(QueueTrouble, a_queue_that_hides_nothing_by_itself_delivers_nothing_twice) {
  world.use_queue({.name = "bare", .visibility_s = 0});
  world.send(30);
  const Outcome outcome = world.run();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.count("received"), 30);
  world.expect_everything_once();
}

TEST_F(QueueTrouble, a_queue_is_drained_by_long_polls_only) {
  world.send(30);
  world.aws().faults().add({.on = "ReceiveMessage", .short_polls = true, .fault = {.empty = true}});
  const std::set<std::int64_t> waits = received_with("WaitTimeSeconds");
  EXPECT_FALSE(waits.contains(0));
  world.expect_everything_once();
}

TEST_F(QueueTrouble, an_endpoint_of_another_protocol_or_no_name_is_temporary_and_soon_told) {
  world.send(5);
  world.variables()["AWS_MAX_ATTEMPTS"] = "2";
  const std::string port = std::to_string(world.aws().port());
  for (const std::string& endpoint : {"https://127.0.0.1:" + port,  // which speaks no TLS
                                      std::string("http://sqs.invalid")}) {
    SCOPED_TRACE(endpoint);
    world.variables()["AWS_ENDPOINT_URL_SQS"] = endpoint;
    const Outcome outcome = world.run();
    EXPECT_EQ(outcome.status, 75) << outcome.err;
    EXPECT_EQ(outcome.count("received"), 0);
    const auto errors = errors_in(outcome.err);
    ASSERT_EQ(errors.size(), 1U) << outcome.err;
    EXPECT_TRUE(errors[0].contains("hint"));
  }
  EXPECT_EQ(tally(world).deliveries, 0U);
}

TEST_F(QueueTrouble, keys_that_are_refused_in_mid_run_end_it_with_77_and_lose_no_receipt) {
  world.send(40);
  // The first is the look whether it may delete; the next two go side by side.
  const auto gate = std::make_shared<SandboxGate>();
  world.aws().faults().add({.on = kDelete, .calls = {2, 3}, .fault = {.gate = gate}});
  const auto run = world.start_run({"--window-messages", "40"});
  ASSERT_TRUE(gate->wait_for_call());
  SandboxCredentials keys;
  keys.expired = true;
  world.aws().set_credentials(keys);
  world.aws().faults().add({.on = kDelete, .fault = {.status = 403, .code = "ExpiredToken"}});
  gate->open();
  const Outcome refused = run->wait();
  EXPECT_EQ(refused.status, 77) << refused.err;
  EXPECT_EQ(refused.count("loaded") + refused.count("rejected"), 40);
  expect_books_add_up(refused.summary());
  EXPECT_EQ(refused.count("carried_out"), 0);
  world.aws().faults().clear();
  world.aws().set_credentials({});
  world.aws().take_problems();
  const Outcome next = world.run();
  EXPECT_EQ(next.status, 0) << next.err;
  EXPECT_EQ(next.count("received"), 0);
  world.expect_everything_once();
}

}  // namespace
}  // namespace sluice
