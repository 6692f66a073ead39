// SPDX-License-Identifier: Apache-2.0
// The real sender before a strict SQS.
#include "job/queue/sqs_sender.h"

#include <algorithm>
#include <map>
#include <thread>

#include "tests/contract/raw_server.h"
#include "tests/contract/sqs_scene.h"
#include "tests/support/requests_sent.h"

namespace sluice {
namespace {

class SqsSenderAgainstSandbox : public SqsScene {
 protected:
  SqsSender sender(const std::string& name = "login-queue") {
    return {access_to(aws_.endpoint(), {4, std::nullopt}),
            QueueArn{"us-east-1", "000000000000", name}};
  }

  static std::vector<OutgoingMessage> letters(int count) {
    std::vector<OutgoingMessage> letters;
    for (int i = 0; i < count; ++i) {
      letters.push_back({.body = "letter " + std::to_string(i),
                         .attributes = {{"reason", "not-json"}, {"number", std::to_string(i)}}});
    }
    return letters;
  }

  std::vector<Message> arrived() {
    std::vector<Message> messages;
    aws_.sqs().with_queue(url_.substr(url_.rfind('/') + 1), [&](SandboxQueue& queue, Now now) {
      for (std::size_t i = 0; i < queue.tally(now).sent; ++i) {
        messages.push_back(queue.message(i).message);
      }
    });
    return messages;
  }
};

TEST_F(SqsSenderAgainstSandbox, every_message_arrives_once_with_its_attributes) {
  SqsSender sending = sender();
  EXPECT_EQ(sending.send(letters(25)), std::vector<bool>(25, true));
  std::map<std::string, std::vector<MessageAttribute>> got;
  for (Message& message : arrived()) got[message.body] = std::move(message.attributes);
  ASSERT_EQ(got.size(), 25U);
  EXPECT_EQ(arrived().size(), 25U);
  for (const OutgoingMessage& letter : letters(25)) {
    std::map<std::string, std::string> values;
    for (const MessageAttribute& attribute : got.at(letter.body)) {
      EXPECT_EQ(attribute.type, "String");
      values[attribute.name] = attribute.value;
    }
    EXPECT_EQ(values, (std::map<std::string, std::string>(letter.attributes.begin(),
                                                          letter.attributes.end())));
  }
  EXPECT_EQ(sent(sending.requests()), aws_.calls());
  EXPECT_EQ(sending.requests().at("SendMessageBatch").sent, 3U);
  EXPECT_EQ(sending.send({}), std::vector<bool>());
}

TEST_F(SqsSenderAgainstSandbox, entries_that_fail_by_the_fault_of_sqs_are_sent_again) {
  SandboxFault some;
  some.fail_entries = 3;
  fault("SendMessageBatch", some, {1, 2});
  EXPECT_EQ(sender().send(letters(5)), std::vector<bool>(5, true));
  EXPECT_EQ(arrived().size(), 5U);
  EXPECT_EQ(aws_.calls().at("SendMessageBatch"), 3U);
}

TEST_F(SqsSenderAgainstSandbox, entries_that_are_at_fault_themselves_are_told_by_position) {
  SandboxFault some;
  some.fail_entries = 2;
  some.sender_fault = true;
  fault("SendMessageBatch", some);
  EXPECT_EQ(sender().send(letters(4)), (std::vector<bool>{false, false, true, true}));
  EXPECT_EQ(aws_.calls().at("SendMessageBatch"), 1U);
}

TEST_F(SqsSenderAgainstSandbox, a_body_that_leaves_no_room_for_attributes_goes_without) {
  auto messages = letters(3);
  messages[1].body.assign(kMostBytesSent, 'x');
  EXPECT_EQ(sender().send(messages), std::vector<bool>(3, true));
  for (const Message& message : arrived()) {
    EXPECT_EQ(message.attributes.empty(), message.body.size() == kMostBytesSent);
  }
}

TEST_F(SqsSenderAgainstSandbox, a_fifo_queue_keeps_the_order_and_takes_each_once) {
  add("dead.fifo");
  auto messages = letters(23);
  for (OutgoingMessage& message : messages) {
    message.group = "g";
    message.deduplication = message.body;
  }
  fault("SendMessageBatch", status(500, "InternalError"), {1});
  fault("SendMessageBatch", lost(), {2});
  EXPECT_EQ(sender("dead.fifo").send(messages), std::vector<bool>(23, true));
  const auto got = arrived();
  ASSERT_EQ(got.size(), 23U);
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i].body, messages[i].body);
}

TEST_F(SqsSenderAgainstSandbox, a_right_that_lacks_is_thrown) {
  fault("SendMessageBatch", status(403, "AccessDenied"));
  SqsSender sending = sender();
  const Failure failure = refusal([&] { sending.send(letters(1)); });
  EXPECT_EQ(failure.fault(), Fault::rights);
  EXPECT_NE(failure.hint().find("sqs:SendMessage on the dead-letter queue"), std::string::npos);
}

TEST_F(SqsSenderAgainstSandbox, what_was_taken_is_told_although_a_call_failed) {
  fault("SendMessageBatch", status(403, "AccessDenied"), {2});
  const auto taken = sender().send(letters(20));
  EXPECT_EQ(std::count(taken.begin(), taken.end(), true), 10);
  EXPECT_EQ(arrived().size(), 10U);
}

TEST_F(SqsSenderAgainstSandbox, a_queue_that_does_not_exist_is_found_out_before_anything_is_sent) {
  SqsSender sending = sender("no-such-queue");
  const Failure failure = refusal([&] { sending.resolve(); });
  EXPECT_EQ(failure.fault(), Fault::configuration);
  EXPECT_NE(failure.message().find("no-such-queue"), std::string::npos);
}

TEST_F(SqsSenderAgainstSandbox, throttling_is_waited_out) {
  fault("SendMessageBatch", status(400, "RequestThrottled"), {1});
  EXPECT_EQ(sender().send(letters(2)), std::vector<bool>(2, true));
}

TEST_F(SqsSenderAgainstSandbox, a_send_that_waits_ends_when_interrupted_and_later_ones_do_nothing) {
  auto gate = std::make_shared<SandboxGate>();
  SandboxFault held;
  held.gate = gate;
  fault("SendMessageBatch", held, {1});
  SqsSender sending = sender();
  std::thread other([&] {
    EXPECT_TRUE(gate->wait_for_call());
    sending.interrupt();
  });
  EXPECT_EQ(sending.send(letters(3)), std::vector<bool>(3, false));
  other.join();
  gate->open();
  EXPECT_EQ(sending.send(letters(3)), std::vector<bool>(3, false));
  EXPECT_EQ(sending.requests().at("SendMessageBatch").sent, 1U);
}

TEST(SqsSender, the_right_to_send_is_asked_for_with_a_batch_of_nothing) {
  std::string refusal = "EmptyBatchRequest";
  RawServer server([&](RawServer::Connection& connection) {
    for (std::string request = connection.request(); !request.empty();
         request = connection.request()) {
      const bool sends = request.find("AmazonSQS.SendMessageBatch") != std::string::npos;
      connection.send(sends ? refusal.empty() ? http_answer(200, "{}") : error_answer(403, refusal)
                            : http_answer(200, R"({"QueueUrl":"http://q/0/dead"})"));
    }
  });
  const QueueArn arn{"us-east-1", "123456789012", "dead"};
  SqsSender(access_to(server.endpoint(), {1, std::nullopt}), arn).probe();
  refusal = "";  // as ElasticMQ does
  SqsSender(access_to(server.endpoint(), {1, std::nullopt}), arn).probe();
  refusal = "AccessDenied";
  try {
    SqsSender(access_to(server.endpoint(), {1, std::nullopt}), arn).probe();
    FAIL() << "let in";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.fault(), Fault::rights);
    EXPECT_NE(failure.hint().find("sqs:SendMessage on the dead-letter queue"), std::string::npos);
  }
}

}  // namespace
}  // namespace sluice
