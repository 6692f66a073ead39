// SPDX-License-Identifier: Apache-2.0
// The real client before a strict SQS on 127.0.0.1.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "job/queue/sqs_queue.h"
#include "tests/support/aws_sandbox.h"

namespace sluice {

inline Credentials keys(const SandboxCredentials& known = {}) {
  return {known.access_key, Secret(known.secret_key), Secret(known.token), "the test"};
}

/// To a server at "http://127.0.0.1:PORT".
inline SqsAccess access_to(
    const std::string& endpoint, RetryPolicy retry,
    LiveCredentials::Fetch fetch = [] { return keys(); }) {
  SqsAccess access;
  access.endpoint.url = endpoint;
  access.endpoint.host = endpoint.substr(7);
  access.endpoint.region = "us-east-1";
  access.credentials = std::make_shared<LiveCredentials>(std::move(fetch));
  access.retry = retry;
  access.user_agent = "sluice/test";
  return access;
}

class SqsScene : public ::testing::Test {
 protected:
  void SetUp() override { add("login-queue"); }
  void TearDown() override { EXPECT_EQ(aws_.take_problems(), std::vector<std::string>()); }

  void add(const std::string& name) {
    QueueRules rules;
    rules.name = name;
    url_ = aws_.sqs().add_queue(rules);
  }

  void send(int count, const std::string& body = "body", const std::string& group = "") {
    aws_.sqs().with_queue(url_.substr(url_.rfind('/') + 1), [&](SandboxQueue& queue, Now now) {
      for (int i = 0; i < count; ++i) {
        NewMessage message;
        message.body = body + std::to_string(i);
        message.group = group;
        if (!group.empty()) message.deduplication = message.body;
        queue.send(message, now);
      }
    });
  }

  void fault(const std::string& on, const SandboxFault& what, std::vector<int> calls = {}) {
    SandboxFaultRule rule;
    rule.on = on;
    rule.calls = std::move(calls);
    rule.fault = what;
    aws_.faults().add(rule);
  }

  SqsSettings settings(LiveCredentials::Fetch fetch = [] { return keys(); }) {
    SqsSettings settings;
    settings.access = access_to(aws_.endpoint(), {4, std::nullopt}, std::move(fetch));
    settings.queue_url = url_;
    return settings;
  }

  static std::vector<QueueAnswer> answers_of(SqsQueue& queue, std::size_t at_least) {
    std::vector<QueueAnswer> answers;
    while (answers.size() < at_least) queue.wait(10'000, answers);
    return answers;
  }

  template <typename Answer>
  static Answer next(SqsQueue& queue) {
    const std::vector<QueueAnswer> answers = answers_of(queue, 1);
    EXPECT_EQ(answers.size(), 1U);
    const QueueAnswer& answer = answers[0];
    const auto* failed = std::get_if<CallFailed>(&answer);
    EXPECT_TRUE(std::holds_alternative<Answer>(answer))
        << (failed != nullptr ? failed->failure.message() : "");
    return std::get<Answer>(answer);
  }

  static Failure refusal(const std::function<void()>& act) {
    try {
      act();
    } catch (const Failure& failure) {
      return failure;
    }
    return {Fault::bug, "accepted", ""};
  }

  static std::vector<std::string> handles_of(const Received& received) {
    std::vector<std::string> handles;
    for (const Message& message : received.messages) handles.push_back(message.receipt);
    return handles;
  }

  static SandboxFault status(int number, const std::string& code, const std::string& html = "") {
    SandboxFault fault;
    fault.status = number;
    fault.code = code;
    fault.html = html;
    return fault;
  }

  static SandboxFault lost() {
    SandboxFault fault;
    fault.drop_after = true;
    return fault;
  }

  AwsSandbox aws_;
  std::string url_;
};

}  // namespace sluice
