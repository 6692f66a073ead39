// SPDX-License-Identifier: Apache-2.0
// Answers to a receive that SQS does not give: nothing is lost, nothing crashes, the ledger stays
// usable, and the next run loads everything.
#include <limits>

#include "tests/end_to_end/scene.h"

namespace sluice {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr int kReceives = 128;

std::string answer_of(const std::string& message) { return R"({"Messages":[)" + message + "]}"; }

/// A message as SQS answers it, with one piece of its text replaced.
std::string message_with(const std::string& from, const std::string& to) {
  return replaced(
      R"({"MessageId":"00000000-0000-4000-8000-000000000001","ReceiptHandle":"r","Body":"{}",)"
      R"("Attributes":{"SentTimestamp":"1795169220000","ApproximateReceiveCount":"1"}})",
      from, to);
}

std::vector<std::string> odd_answers() {
  const std::string sent = "1795169220000";
  return {"[]",
          "null",
          R"({"Messages":{}})",
          R"({"Messages":[null]})",
          answer_of("{}"),
          answer_of(message_with(R"("MessageId":"00000000-0000-4000-8000-000000000001",)", "")),
          answer_of(message_with(R"("ReceiptHandle":"r",)", "")),
          answer_of(message_with(R"("SentTimestamp":"1795169220000",)", "")),
          answer_of(message_with(sent, "")),
          answer_of(message_with(sent, "yesterday")),
          answer_of(message_with(sent, "17951692.20000")),
          answer_of(message_with(sent, "-1")),
          answer_of(message_with(sent, "7258118400000")),  // the year 2200
          answer_of(message_with(sent, "9223372036854775807")),
          answer_of(message_with(sent, "9223372036854775808")),
          answer_of(message_with(R"("ApproximateReceiveCount":"1")",
                                 R"("ApproximateReceiveCount":"4294967296")")),
          answer_of(message_with(R"("ApproximateReceiveCount":"1")",
                                 R"("ApproximateReceiveCount":"-1")")),
          answer_of(message_with(R"("Body":"{}")", R"("Body":7)")),
          answer_of(message_with(R"("Body":"{}")", "\"Body\":\"\xff\""))};
}

TEST(OddAnswers, end_the_run_as_temporary_and_the_next_run_loads_everything) {
  LoginWorld world;
  world.send(20);
  for (const std::string& answer : odd_answers()) {
    SCOPED_TRACE(answer);
    world.aws().faults().add({.on = "ReceiveMessage",
                              .most = kReceives,  // an answer that is taken does not come for ever
                              .fault = {.status = 200, .html = answer}});
    const Outcome outcome = world.run({"--empty-polls", "1"});
    EXPECT_EQ(outcome.status, 75) << outcome.err;
    EXPECT_EQ(outcome.count("received"), 0);
    EXPECT_EQ(outcome.summary().at("stop_reason"), "error");
    expect_books_add_up(outcome.summary());
    EXPECT_EQ(world.left_in_queue(), 20U);
    world.aws().faults().clear();
  }
  EXPECT_EQ(world.run({"--empty-polls", "1"}).status, 0);
  world.expect_everything_once();
}

TEST(OddAnswers, a_message_without_a_body_is_rejected_as_an_empty_one) {
  LoginWorld world;
  world.aws().faults().add(
      {.on = "ReceiveMessage",
       .calls = {1},
       .fault = {.status = 200, .html = answer_of(message_with(R"("Body":"{}",)", ""))}});
  world.run({"--empty-polls", "1", "--max-messages", "1"});
  EXPECT_EQ(world.database().rows("SELECT reason, receive_count FROM sluice.rejected_message"),
            (std::vector<Row>{{"not-json", "1"}}));
}

TEST(OddAnswers, the_largest_receive_count_is_a_number_like_any_other) {
  LoginWorld world;
  world.aws().faults().add(
      {.on = "ReceiveMessage",
       .calls = {1},
       .fault = {.status = 200,
                 .html = answer_of(message_with(R"("ApproximateReceiveCount":"1")",
                                                R"("ApproximateReceiveCount":"4294967295")"))}});
  world.run({"--empty-polls", "1", "--max-messages", "1"});
  EXPECT_EQ(world.database().rows("SELECT reason, receive_count FROM sluice.rejected_message"),
            (std::vector<Row>{{"missing-field", "2147483647"}}));
}

TEST(OddAnswers, any_time_of_sending_that_the_ledger_can_hold_is_loaded_and_known_again) {
  LoginWorld world;
  const std::vector<std::int64_t> times = {0,
                                           1,
                                           kDayMs - 1,
                                           kDayMs,
                                           946'684'799'999,    // the last of 1999
                                           7'258'118'399'999,  // the last of 2199
                                           now().wall_ms + 400 * kDayMs,
                                           now().wall_ms - 400 * kDayMs};
  world.aws().sqs().with_queue(kLoginQueue, [&](SandboxQueue& queue, Now at) {
    for (std::size_t i = 0; i < times.size(); ++i) {
      queue.send({.body = login_body("user-" + std::to_string(i)), .sent_ms = times[i]}, at);
    }
    queue.send({.body = login_body("user-now")}, at);
  });
  const auto count = static_cast<std::int64_t>(times.size() + 1);
  for (const bool again : {false, true}) {
    const Outcome outcome = world.run({"--empty-polls", "1"});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(outcome.count(again ? "duplicate" : "loaded"), count);
    EXPECT_EQ(world.database().value("SELECT count(*) FROM public.user_logins"),
              std::to_string(count));
    EXPECT_EQ(world.left_in_queue(), 0U);
    deliver_all_again(world);
  }
  EXPECT_EQ(world.database().value("SELECT count(*) FROM sluice.loaded_message"),
            std::to_string(count));
}

}  // namespace
}  // namespace sluice
