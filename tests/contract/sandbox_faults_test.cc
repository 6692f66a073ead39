// SPDX-License-Identifier: Apache-2.0
// Each fault that the sandbox can be asked for does happen: a test with a fault that does not would
// prove nothing.
#include <algorithm>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/support/aws_sandbox.h"
#include "tests/support/sandbox_fault_text.h"
#include "tests/support/sqs_caller.h"

namespace sluice {
namespace {

namespace json = boost::json;

class SandboxUnderFaults : public testing::Test {
 protected:
  std::string add_queue(const QueueRules& rules) { return url_ = aws_.sqs().add_queue(rules); }
  void send(int count) {
    aws_.sqs().with_queue("orders", [&](SandboxQueue& queue, Now at) {
      for (int i = 0; i < count; ++i) queue.send({.body = "body " + std::to_string(i)}, at);
    });
  }
  void fault(const std::string& text) { aws_.faults().add(parse_fault(text)); }

  HttpAnswer ask(const std::string& operation, json::object request,
                 std::int64_t timeout_ms = 30'000) {
    request["QueueUrl"] = url_;
    return caller_.ask(operation, request, timeout_ms);
  }
  json::object call(const std::string& operation, json::object request) {
    request["QueueUrl"] = url_;
    return caller_.call(operation, request);
  }
  HttpAnswer receive(int wait_s = 0, std::int64_t timeout_ms = 30'000) {
    return ask("ReceiveMessage", {{"MaxNumberOfMessages", 10}, {"WaitTimeSeconds", wait_s}},
               timeout_ms);
  }
  static json::array messages_in(const HttpAnswer& answer) {
    const json::value body = json::parse(answer.body);
    const json::value* const messages = body.as_object().if_contains("Messages");
    return messages == nullptr ? json::array() : messages->as_array();
  }
  static std::string code_in(const HttpAnswer& answer) {
    const std::string type(json::parse(answer.body).at("__type").as_string());
    return type.substr(type.find('#') + 1);
  }
  json::object remove(const json::array& messages) {
    json::array entries;
    for (const json::value& message : messages) {
      entries.push_back(
          {{"Id", std::to_string(entries.size())}, {"ReceiptHandle", message.at("ReceiptHandle")}});
    }
    return call("DeleteMessageBatch", {{"Entries", std::move(entries)}});
  }
  QueueTally tally() {
    QueueTally tally;
    aws_.sqs().with_queue("orders", [&](SandboxQueue& queue, Now at) { tally = queue.tally(at); });
    return tally;
  }

  AwsSandbox aws_{"us-east-1", 7};
  std::string url_ = aws_.sqs().add_queue({.name = "orders"});
  SqsCaller caller_{
      {aws_.endpoint(), SandboxCredentials().access_key, SandboxCredentials().secret_key}};
};

TEST_F(SandboxUnderFaults, throttling_comes_as_403_or_400_and_may_ask_for_a_pause) {
  fault("ReceiveMessage calls=1 status=403 code=RequestThrottled");
  fault("ReceiveMessage calls=1 status=400 code=ThrottlingException retry-after=250");
  HttpAnswer answer = receive();
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(code_in(answer), "RequestThrottled");
  EXPECT_EQ(answer.header("x-amz-retry-after"), "");
  answer = receive();
  EXPECT_EQ(code_in(answer), "ThrottlingException");
  EXPECT_EQ(answer.header("x-amz-retry-after"), "250");
  EXPECT_EQ(receive().status, 200);
}

TEST_F(SandboxUnderFaults, a_proxy_answers_with_a_page) {
  fault("* most=1 status=503 html=<html>busy</html>");
  const HttpAnswer answer = receive();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.header("content-type"), "text/html");
  EXPECT_EQ(answer.body, "<html>busy</html>");
}

TEST_F(SandboxUnderFaults, a_connection_is_dropped_before_the_call_took_effect_or_after) {
  send(2);
  fault("ReceiveMessage calls=1 drop=before");
  EXPECT_EQ(receive().status, 0);
  EXPECT_EQ(tally().deliveries, 0U);
  aws_.faults().clear();
  fault("ReceiveMessage calls=1 drop=after");
  EXPECT_EQ(receive().status, 0);
  EXPECT_EQ(tally().in_flight, 2U);
}

TEST_F(SandboxUnderFaults, an_answer_never_comes) {
  send(1);
  fault("ReceiveMessage calls=1 hang=before");
  fault("ReceiveMessage calls=1 hang=after");
  EXPECT_EQ(receive(0, 200).status, 0);
  EXPECT_EQ(tally().deliveries, 0U);
  EXPECT_EQ(receive(0, 200).status, 0);
  EXPECT_EQ(tally().in_flight, 1U);
}

TEST_F(SandboxUnderFaults, a_body_trickles_and_is_whole) {
  aws_.sqs().with_queue("orders", [](SandboxQueue& queue, Now at) {
    queue.send({.body = std::string(100'000, 'x')}, at);
  });
  fault("ReceiveMessage calls=1 trickle=5");
  EXPECT_EQ(messages_in(receive())[0].at("Body").as_string().size(), 100'000U);
  aws_.sqs().with_queue("orders", [](SandboxQueue& queue, Now) { queue.show_all(); });
  fault("ReceiveMessage calls=1 trickle=1000");
  EXPECT_EQ(receive(0, 300).status, 0);  // on the way, but not in time
  aws_.faults().clear();
}

TEST_F(SandboxUnderFaults, entries_of_a_batch_fail_in_both_ways) {
  send(3);
  const json::array messages = messages_in(receive());
  fault("DeleteMessageBatch calls=1 fail=2");
  fault("DeleteMessageBatch calls=1 fail=1 sender");
  json::object answer = remove(messages);
  EXPECT_EQ(answer.at("Successful").as_array().size(), 1U);
  ASSERT_EQ(answer.at("Failed").as_array().size(), 2U);
  json::value failed = answer.at("Failed").as_array()[0];
  EXPECT_EQ(failed.at("SenderFault"), false);
  EXPECT_EQ(failed.at("Code"), "InternalError");
  failed = remove(messages).at("Failed").as_array().at(0);
  EXPECT_EQ(failed.at("SenderFault"), true);
  EXPECT_EQ(failed.at("Code"), "ReceiptHandleIsInvalid");
  EXPECT_EQ(tally().deleted, 2U);
}

TEST_F(SandboxUnderFaults, short_polls_come_back_empty_by_chance_and_long_ones_do_not) {
  send(1000);
  fault("ReceiveMessage short-polls chance=0.5 empty");
  int empty = 0;
  for (int i = 0; i < 40; ++i) empty += messages_in(receive()).empty() ? 1 : 0;
  EXPECT_GT(empty, 5);
  EXPECT_LT(empty, 35);
  for (int i = 0; i < 40; ++i) EXPECT_FALSE(messages_in(receive(1)).empty());
}

TEST_F(SandboxUnderFaults, a_seed_repeats_what_it_did) {
  const auto met = [](std::uint64_t seed) {
    SandboxFaults faults(seed);
    faults.add(parse_fault("* chance=0.3 status=500"));
    std::string pattern;
    for (int i = 0; i < 64; ++i) {
      pattern += faults.meet("SendMessage", {}).status == 0 ? '.' : 'x';
    }
    return pattern;
  };
  EXPECT_EQ(met(5), met(5));
  EXPECT_NE(met(5), met(6));
}

TEST_F(SandboxUnderFaults, a_message_comes_twice_and_in_another_order) {
  send(10);
  fault("ReceiveMessage calls=1 twice shuffle");
  const json::array first = messages_in(receive());
  std::vector<std::string> bodies;
  for (const json::value& message : first) bodies.emplace_back(message.at("Body").as_string());
  EXPECT_FALSE(std::ranges::is_sorted(bodies));
  EXPECT_EQ(messages_in(receive()).size(), 10U);
  EXPECT_EQ(tally().deliveries, 20U);
}

TEST_F(SandboxUnderFaults, a_full_queue_is_told_to_short_polls_only_and_never_by_a_fifo_queue) {
  add_queue({.name = "narrow", .in_flight_limit = 1});
  aws_.sqs().with_queue("narrow", [](SandboxQueue& queue, Now at) {
    for (const char* body : {"a", "b"}) queue.send({.body = body}, at);
  });
  EXPECT_EQ(messages_in(receive()).size(), 1U);
  EXPECT_EQ(code_in(receive(0)), "OverLimit");
  EXPECT_TRUE(messages_in(receive(1)).empty());
  add_queue({.name = "narrow.fifo", .in_flight_limit = 1});
  aws_.sqs().with_queue("narrow.fifo", [](SandboxQueue& queue, Now at) {
    for (const char* group : {"a", "b"}) queue.send({.body = "x", .group = group}, at);
  });
  EXPECT_EQ(messages_in(receive()).size(), 1U);
  EXPECT_TRUE(messages_in(receive(0)).empty());
}

TEST_F(SandboxUnderFaults, what_is_only_for_one_kind_of_queue_is_refused_by_the_other) {
  const json::object plain{{"MessageBody", "x"}, {"MessageDeduplicationId", "1"}};
  EXPECT_EQ(code_in(ask("SendMessage", plain)), "InvalidParameterValue");
  add_queue({.name = "orders.fifo"});
  json::object ordered = plain;
  EXPECT_EQ(code_in(ask("SendMessage", ordered)), "MissingParameter");
  ordered["MessageGroupId"] = "g";
  EXPECT_EQ(ask("SendMessage", ordered).status, 200);
  ordered["DelaySeconds"] = 5;
  EXPECT_EQ(code_in(ask("SendMessage", ordered)), "InvalidParameterValue");
}

TEST_F(SandboxUnderFaults, a_stale_handle_succeeds_and_deletes_nothing) {
  send(1);
  const json::array stale = messages_in(receive());
  aws_.sqs().advance(30'000);
  receive();
  EXPECT_EQ(remove(stale).at("Successful").as_array().size(), 1U);
  EXPECT_EQ(tally().deleted, 0U);
}

TEST_F(SandboxUnderFaults, the_clock_of_the_sandbox_is_wrong_and_says_so) {
  aws_.sqs().set_clock_offset(3'600'000);
  const HttpAnswer answer = receive();
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(code_in(answer), "RequestTimeTooSkewed");
  ASSERT_TRUE(answer.date_ms());
  EXPECT_NEAR(static_cast<double>(*answer.date_ms() - now().wall_ms), 3'600'000, 60'000);
  EXPECT_EQ(aws_.take_problems().size(), 1U);
}

TEST_F(SandboxUnderFaults, a_token_expires_under_way) {
  SandboxCredentials temporary{.token = "TOKEN"};
  aws_.set_credentials(temporary);
  SqsCaller caller({aws_.endpoint(), temporary.access_key, temporary.secret_key, "TOKEN"});
  EXPECT_EQ(caller.ask("ReceiveMessage", {{"QueueUrl", url_}}).status, 200);
  temporary.expired = true;
  aws_.set_credentials(temporary);
  EXPECT_EQ(code_in(caller.ask("ReceiveMessage", {{"QueueUrl", url_}})), "ExpiredToken");
  aws_.take_problems();
}

TEST_F(SandboxUnderFaults, a_lone_surrogate_travels_as_an_escape) {
  aws_.sqs().with_queue("orders", [](SandboxQueue& queue, Now at) {
    queue.send({.body = "\xf0\x9f\x98\x80 \xed\xa0\xbd"}, at);
  });
  EXPECT_NE(receive().body.find("\xf0\x9f\x98\x80 \\ud83d\""), std::string::npos);
}

TEST_F(SandboxUnderFaults, the_right_to_send_is_asked_for_with_nothing_to_send) {
  const json::object nothing{{"Entries", json::array()}};
  EXPECT_EQ(code_in(ask("SendMessageBatch", nothing)), "EmptyBatchRequest");
  EXPECT_TRUE(aws_.problems().empty()) << "a question is no mistake";
  fault("SendMessageBatch status=403 code=AccessDenied");
  EXPECT_EQ(code_in(ask("SendMessageBatch", nothing)), "AccessDenied");
  SqsCaller stranger({aws_.endpoint(), SandboxCredentials().access_key, "another secret"});
  EXPECT_EQ(code_in(stranger.ask("SendMessageBatch", {{"QueueUrl", url_}, {"Entries", {}}})),
            "SignatureDoesNotMatch");
  EXPECT_EQ(code_in(ask("DeleteMessageBatch", nothing)), "EmptyBatchRequest");
  EXPECT_EQ(aws_.take_problems().size(), 2U);
}

TEST_F(SandboxUnderFaults, a_queue_of_another_account_is_found_only_under_it) {
  add_queue({.name = "theirs", .account = "111122223333"});
  EXPECT_EQ(url_, "https://sqs.us-east-1.amazonaws.com/111122223333/theirs");
  EXPECT_EQ(receive().status, 200);
  const auto find = [&](const json::object& request) {
    return caller_.ask("GetQueueUrl", request);
  };
  EXPECT_EQ(code_in(find({{"QueueName", "theirs"}})), "QueueDoesNotExist");
  EXPECT_EQ(find({{"QueueName", "theirs"}, {"QueueOwnerAWSAccountId", "111122223333"}}).status,
            200);
  EXPECT_EQ(code_in(find({{"QueueName", "orders"}, {"QueueOwnerAWSAccountId", "111122223333"}})),
            "QueueDoesNotExist");
  url_ = "https://sqs.us-east-1.amazonaws.com/000000000000/theirs";
  EXPECT_EQ(code_in(receive()), "QueueDoesNotExist");
}

TEST_F(SandboxUnderFaults, a_fault_in_words_that_mean_nothing_is_refused) {
  for (const char* text : {"", "Receive", "ReceiveMessage chance=2", "ReceiveMessage chance",
                           "ReceiveMessage twice=1", "* drop=often", "* calls=x", "* often"}) {
    EXPECT_THROW(parse_fault(text), Failure) << text;
  }
  EXPECT_EQ(parse_fault("* calls=1,3").calls, (std::vector<int>{1, 3}));
}

}  // namespace
}  // namespace sluice
