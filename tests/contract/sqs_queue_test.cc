// SPDX-License-Identifier: Apache-2.0
// The real queue client against a strict SQS on 127.0.0.1, on good days and bad ones.
#include "job/queue/sqs_queue.h"

#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "tests/contract/sqs_scene.h"
#include "tests/support/requests_sent.h"

namespace sluice {
namespace {

using SqsQueueAgainstSandbox = SqsScene;

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
  EXPECT_EQ(sent(queue.requests()), aws_.calls());
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

TEST_F(SqsQueueAgainstSandbox, a_long_poll_has_longer_to_be_answered_than_it_waits) {
  send(1);
  SandboxFault late;
  late.delay = std::chrono::milliseconds(1500);
  fault("ReceiveMessage", late);
  SqsQueue queue(settings());
  queue.receive(1, 10, 1, 60);
  EXPECT_EQ(next<Received>(queue).messages.size(), 1U);
  EXPECT_EQ(queue.requests().at("ReceiveMessage").sent, 1U) << "it was not given up";
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
  EXPECT_EQ(queue.requests().at("ReceiveMessage").sent, 1U);
}

TEST_F(SqsQueueAgainstSandbox, a_session_token_is_signed) {
  SandboxCredentials temporary;
  temporary.token = "token/with+signs==";
  aws_.set_credentials(temporary);
  SqsQueue queue(settings([&] { return keys(temporary); }));
  EXPECT_EQ(queue.facts().visibility_s, 30);
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
