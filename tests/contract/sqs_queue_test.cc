// SPDX-License-Identifier: Apache-2.0
// The real queue client against a strict SQS on 127.0.0.1, on good days and bad ones.
#include "job/queue/sqs_queue.h"

#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/aws_sandbox.h"

namespace sluice {
namespace {

class SqsQueueAgainstSandbox : public ::testing::Test {
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

  SqsSettings settings(const std::string& secret = SandboxCredentials().secret_key,
                       const std::string& token = "") {
    SqsSettings settings;
    settings.access.endpoint.url = aws_.endpoint();
    settings.access.endpoint.host = aws_.endpoint().substr(7);
    settings.access.endpoint.region = "us-east-1";
    settings.access.credentials = {SandboxCredentials().access_key, Secret(secret), Secret(token),
                                   "the test"};
    settings.access.retry = {4, std::nullopt};
    settings.access.user_agent = "sluice/test";
    settings.queue_url = url_;
    return settings;
  }

  template <typename Answer>
  Answer next(SqsQueue& queue) {
    std::vector<QueueAnswer> answers;
    while (answers.empty()) queue.wait(10'000, answers);
    EXPECT_EQ(answers.size(), 1U);
    if (const auto* failed = std::get_if<CallFailed>(&answers[0]))
      last_failure_ = failed->failure.message();
    EXPECT_TRUE(std::holds_alternative<Answer>(answers[0])) << last_failure_;
    return std::get<Answer>(answers[0]);
  }

  Failure refusal(const std::function<void()>& act) {
    try {
      act();
    } catch (const Failure& failure) {
      return failure;
    }
    return {Fault::bug, "accepted", ""};
  }

  AwsSandbox aws_;
  std::string url_;
  std::string last_failure_;
};

std::vector<std::string> handles_of(const Received& received) {
  std::vector<std::string> handles;
  for (const Message& message : received.messages) handles.push_back(message.receipt);
  return handles;
}

SandboxFault status(int number, const std::string& code, const std::string& html = "") {
  SandboxFault fault;
  fault.status = number;
  fault.code = code;
  fault.html = html;
  return fault;
}

SandboxFault lost() {
  SandboxFault fault;
  fault.drop_after = true;
  return fault;
}

TEST_F(SqsQueueAgainstSandbox, messages_are_received_hidden_given_back_and_removed) {
  send(3, "Zoë 株式会社 😀 \x7f \n \"");
  SqsQueue queue(settings());
  queue.receive(1, 10, 2, 60);
  Received received = next<Received>(queue);
  EXPECT_EQ(received.ticket, 1U);
  ASSERT_EQ(received.messages.size(), 3U);
  std::set<std::string> bodies;
  for (const Message& message : received.messages) bodies.insert(message.body);
  EXPECT_TRUE(bodies.contains("Zoë 株式会社 😀 \x7f \n \"0"));
  EXPECT_FALSE(received.in_flight_limit);

  queue.count(2);
  EXPECT_EQ(next<Counted>(queue).counts.in_flight, 3);
  queue.hide(3, handles_of(received), 0);
  for (const EntryResult& result : next<BatchAnswered>(queue).results) EXPECT_TRUE(result.done);
  queue.receive(4, 10, 2, 60);
  received = next<Received>(queue);
  ASSERT_EQ(received.messages.size(), 3U);
  EXPECT_EQ(received.messages[0].receive_count, 2U);
  queue.remove(5, handles_of(received));
  const BatchAnswered removed = next<BatchAnswered>(queue);
  ASSERT_EQ(removed.results.size(), 3U);
  for (const EntryResult& result : removed.results) EXPECT_TRUE(result.done);
  EXPECT_EQ(queue.counts().in_flight, 0);
  EXPECT_EQ(queue.requests(), aws_.calls());
}

TEST_F(SqsQueueAgainstSandbox, many_orders_are_under_way_at_once_and_each_is_answered_once) {
  send(400);
  SqsQueue queue(settings());
  std::set<Ticket> open;
  for (Ticket ticket = 1; ticket <= 128; ++ticket) {
    queue.receive(ticket, 10, 0, 60);
    open.insert(ticket);
  }
  std::set<std::string> ids;
  while (!open.empty()) {
    std::vector<QueueAnswer> answers;
    queue.wait(10'000, answers);
    for (const QueueAnswer& answer : answers) {
      const Received& received = std::get<Received>(answer);
      EXPECT_EQ(open.erase(received.ticket), 1U);
      for (const Message& message : received.messages) ids.insert(message.id);
    }
  }
  EXPECT_EQ(ids.size(), 400U);
}

TEST_F(SqsQueueAgainstSandbox, throttling_errors_and_pages_of_proxies_are_retried_unseen) {
  send(1);
  fault("ReceiveMessage", status(403, "RequestThrottled"), {1});
  fault("ReceiveMessage", status(500, "InternalError"), {1});
  fault("ReceiveMessage", status(503, "", "<html>no</html>"), {1});
  SqsQueue queue(settings());
  queue.receive(1, 10, 0, 60);
  EXPECT_EQ(next<Received>(queue).messages.size(), 1U);
  EXPECT_EQ(queue.requests().at("ReceiveMessage"), 4U);
}

TEST_F(SqsQueueAgainstSandbox, errors_that_stay_end_as_one_failure) {
  fault("ReceiveMessage", status(503, "", "<html>no</html>"));
  SqsQueue queue(settings());
  queue.receive(7, 10, 0, 60);
  const CallFailed failed = next<CallFailed>(queue);
  EXPECT_EQ(failed.ticket, 7U);
  EXPECT_EQ(failed.failure.fault(), Fault::temporary);
  EXPECT_NE(failed.failure.message().find("status 503"), std::string::npos);
  EXPECT_NE(failed.failure.message().find("after 4 attempts"), std::string::npos);
}

TEST_F(SqsQueueAgainstSandbox, a_delete_whose_answer_is_lost_is_made_again) {
  send(2);
  SqsQueue queue(settings());
  queue.receive(1, 10, 0, 60);
  const auto handles = handles_of(next<Received>(queue));
  fault("DeleteMessageBatch", lost(), {1});
  queue.remove(2, handles);
  for (const EntryResult& result : next<BatchAnswered>(queue).results) EXPECT_TRUE(result.done);
}

TEST_F(SqsQueueAgainstSandbox, a_lost_answer_of_a_fifo_queue_is_given_again) {
  add("login-queue.fifo");
  send(3, "body", "group");
  fault("ReceiveMessage", lost(), {1});
  SqsQueue queue(settings());
  queue.receive(1, 10, 0, 60);
  const Received received = next<Received>(queue);
  ASSERT_EQ(received.messages.size(), 3U);
  EXPECT_EQ(received.messages[0].body, "body0");
  EXPECT_EQ(received.messages[0].group, "group");
  EXPECT_LT(received.messages[0].sequence, received.messages[1].sequence);
  EXPECT_TRUE(queue.facts().fifo);
}

TEST_F(SqsQueueAgainstSandbox, entries_that_failed_are_told_apart) {
  send(3);
  SqsQueue queue(settings());
  queue.receive(1, 10, 0, 60);
  const auto handles = handles_of(next<Received>(queue));
  SandboxFault some;
  some.fail_entries = 1;
  fault("DeleteMessageBatch", some, {1});
  queue.remove(2, handles);
  const auto results = next<BatchAnswered>(queue).results;
  ASSERT_EQ(results.size(), 3U);
  EXPECT_TRUE(!results[0].done && !results[0].sender_fault && !results[0].code.empty());
  EXPECT_TRUE(results[1].done && results[2].done);
}

TEST_F(SqsQueueAgainstSandbox, a_full_queue_is_told_and_is_no_failure) {
  fault("ReceiveMessage", status(403, "OverLimit"));
  SqsQueue queue(settings());
  queue.receive(1, 10, 0, 60);
  EXPECT_TRUE(next<Received>(queue).in_flight_limit);
  EXPECT_EQ(queue.requests().at("ReceiveMessage"), 1U);
}

TEST_F(SqsQueueAgainstSandbox, a_wrong_clock_is_corrected_by_the_date_of_the_server) {
  for (const std::int64_t hours : {2, -2}) {
    aws_.sqs().set_clock_offset(hours * 3'600'000);
    SqsQueue queue(settings());
    EXPECT_EQ(queue.facts().visibility_s, 30);
    EXPECT_EQ(queue.facts().visibility_s, 30);
    EXPECT_EQ(queue.requests().at("GetQueueAttributes"), 3U) << "the offset is kept";
  }
  aws_.take_problems();
}

TEST_F(SqsQueueAgainstSandbox, orders_that_fail_by_the_clock_together_are_all_signed_again) {
  send(20);
  aws_.sqs().set_clock_offset(3'600'000);
  SqsQueue queue(settings());
  for (Ticket ticket = 1; ticket <= 8; ++ticket) queue.receive(ticket, 10, 0, 60);
  std::vector<QueueAnswer> answers;
  while (answers.size() < 8) queue.wait(10'000, answers);
  for (const QueueAnswer& answer : answers) EXPECT_TRUE(std::holds_alternative<Received>(answer));
  aws_.take_problems();
}

TEST_F(SqsQueueAgainstSandbox, a_session_token_is_signed) {
  SandboxCredentials temporary;
  temporary.token = "token/with+signs==";
  aws_.set_credentials(temporary);
  SqsQueue queue(settings(temporary.secret_key, temporary.token));
  EXPECT_EQ(queue.facts().visibility_s, 30);
}

TEST_F(SqsQueueAgainstSandbox, a_wrong_secret_is_a_fault_of_rights_without_a_retry) {
  SqsQueue queue(settings("not the secret"));
  const Failure failure = refusal([&] { queue.facts(); });
  EXPECT_EQ(failure.fault(), Fault::rights);
  EXPECT_NE(failure.message().find("SignatureDoesNotMatch"), std::string::npos);
  EXPECT_EQ(queue.requests().at("GetQueueAttributes"), 1U);
  aws_.take_problems();
}

TEST_F(SqsQueueAgainstSandbox, a_queue_that_does_not_exist_is_a_fault_of_configuration) {
  SqsSettings other = settings();
  other.queue_url = "https://sqs.us-east-1.amazonaws.com/000000000000/no-such-queue";
  SqsQueue queue(std::move(other));
  const Failure failure = refusal([&] { queue.facts(); });
  EXPECT_EQ(failure.fault(), Fault::configuration);
  EXPECT_NE(failure.message().find("no-such-queue in us-east-1: QueueDoesNotExist"),
            std::string::npos);
}

TEST_F(SqsQueueAgainstSandbox, a_named_queue_is_resolved) {
  SqsSettings named = settings();
  named.queue_name = "login-queue";
  named.queue_url = "";
  SqsQueue queue(std::move(named));
  queue.resolve();
  EXPECT_EQ(queue.url(), url_);
}

TEST_F(SqsQueueAgainstSandbox, a_probe_with_all_rights_passes_and_touches_nothing) {
  send(2);
  SqsQueue queue(settings());
  queue.probe_rights();
  EXPECT_EQ(queue.counts().visible, 2);
}

TEST_F(SqsQueueAgainstSandbox, a_probe_names_the_right_that_is_missing) {
  SqsQueue queue(settings());
  fault("DeleteMessageBatch", status(403, "AccessDenied"), {1});
  Failure failure = refusal([&] { queue.probe_rights(); });
  EXPECT_EQ(failure.fault(), Fault::rights);
  EXPECT_NE(failure.hint().find("sqs:DeleteMessage"), std::string::npos);
  fault("ChangeMessageVisibilityBatch", status(403, "AccessDenied"), {1});
  failure = refusal([&] { queue.probe_rights(); });
  EXPECT_EQ(failure.fault(), Fault::rights);
  EXPECT_NE(failure.hint().find("sqs:ChangeMessageVisibility"), std::string::npos);
}

TEST_F(SqsQueueAgainstSandbox, an_endpoint_where_nobody_listens_is_temporary) {
  SqsSettings nowhere = settings();
  nowhere.access.endpoint.url = "http://127.0.0.1:1";
  nowhere.access.endpoint.host = "127.0.0.1:1";
  SqsQueue queue(std::move(nowhere));
  const Failure failure = refusal([&] { queue.facts(); });
  EXPECT_EQ(failure.fault(), Fault::temporary);
  EXPECT_NE(failure.message().find("cannot reach http://127.0.0.1:1"), std::string::npos);
}

TEST_F(SqsQueueAgainstSandbox, a_wait_ends_when_woken_from_another_thread) {
  SqsQueue queue(settings());
  queue.receive(1, 10, 20, 60);
  std::thread other([&] { queue.wake(); });
  std::vector<QueueAnswer> answers;
  queue.wait(600'000, answers);
  other.join();
  EXPECT_TRUE(answers.empty());
}

TEST_F(SqsQueueAgainstSandbox, what_was_abandoned_is_never_answered) {
  auto gate = std::make_shared<SandboxGate>();
  SandboxFault held;
  held.gate = gate;
  fault("ReceiveMessage", held, {1});
  SqsQueue queue(settings());
  queue.receive(1, 10, 0, 60);
  std::vector<QueueAnswer> answers;
  queue.wait(1, answers);
  queue.abandon();
  gate->open();
  queue.receive(2, 10, 0, 60);
  EXPECT_EQ(next<Received>(queue).ticket, 2U);
}

}  // namespace
}  // namespace sluice
