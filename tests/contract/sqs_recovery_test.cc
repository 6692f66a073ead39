// SPDX-License-Identifier: Apache-2.0
// How the real client fails and recovers, before an SQS on bad days.
#include <atomic>
#include <map>
#include <set>

#include "job/queue/sqs_client.h"
#include "tests/contract/sqs_scene.h"

namespace sluice {
namespace {

class SqsRecovery : public SqsScene {
 protected:
  QueueTally tally() {
    QueueTally tally;
    aws_.sqs().with_queue(url_.substr(url_.rfind('/') + 1),
                          [&](SandboxQueue& queue, Now now) { tally = queue.tally(now); });
    return tally;
  }

  /// Receives and deletes side by side until nothing is left; what was received, in order. What a
  /// lost answer hid shows again as time passes, which it does when nothing else comes.
  std::vector<Message> drain(SqsQueue& queue) {
    std::vector<Message> received;
    Ticket last = 0;
    int receives = 0;
    int removes = 0;
    while (receives + removes > 0 || tally().left() > 0) {
      for (; receives < 6 && tally().left() > 0; ++receives) queue.receive(++last, 10, 0, 60);
      for (const QueueAnswer& answer : answers_of(queue, 1)) {
        EXPECT_FALSE(std::holds_alternative<CallFailed>(answer));
        if (std::holds_alternative<BatchAnswered>(answer)) --removes;
        const auto* const got = std::get_if<Received>(&answer);
        if (got == nullptr) continue;
        --receives;
        if (got->messages.empty() && removes == 0) aws_.sqs().advance(10'000);
        if (got->messages.empty()) continue;
        received.insert(received.end(), got->messages.begin(), got->messages.end());
        queue.remove(++last, handles_of(*got));
        ++removes;
      }
    }
    return received;
  }

  /// Two in a row, because libcurl itself repeats once what it sent on a connection that had been
  /// used before.
  void lose_every_third_answer() {
    std::vector<int> calls;
    for (int call = 3; call < 3000; call += 6) calls.insert(calls.end(), {call, call + 1});
    fault("*", lost(), calls);
  }
};

TEST_F(SqsRecovery, throttling_errors_and_pages_of_proxies_are_retried_unseen) {
  send(1);
  fault("ReceiveMessage", status(403, "RequestThrottled"), {1});
  fault("ReceiveMessage", status(500, "InternalError"), {1});
  fault("ReceiveMessage", status(503, "", "<html>no</html>"), {1});
  SqsQueue queue(settings());
  queue.receive(1, 10, 0, 60);
  EXPECT_EQ(next<Received>(queue).messages.size(), 1U);
  EXPECT_EQ(queue.requests().at("ReceiveMessage").sent, 4U);
}

TEST_F(SqsRecovery, errors_that_stay_end_as_one_failure) {
  fault("ReceiveMessage", status(503, "", "<html>no</html>"));
  SqsQueue queue(settings());
  queue.receive(7, 10, 0, 60);
  const CallFailed failed = next<CallFailed>(queue);
  EXPECT_EQ(failed.ticket, 7U);
  EXPECT_EQ(failed.failure.fault(), Fault::temporary);
  EXPECT_NE(failed.failure.message().find("status 503"), std::string::npos);
  EXPECT_NE(failed.failure.message().find("after 4 attempts"), std::string::npos);
}

TEST_F(SqsRecovery, a_delete_whose_answer_is_lost_is_made_again) {
  send(2);
  SqsQueue queue(settings());
  queue.receive(1, 10, 0, 60);
  const auto handles = handles_of(next<Received>(queue));
  fault("DeleteMessageBatch", lost(), {1});
  queue.remove(2, handles);
  for (const EntryResult& result : next<BatchAnswered>(queue).results) EXPECT_TRUE(result.done);
}

TEST_F(SqsRecovery, a_lost_answer_of_a_fifo_queue_is_given_again) {
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

TEST_F(SqsRecovery, throttling_of_a_third_of_the_calls_is_slow_and_nothing_else) {
  send(60);
  SandboxFaultRule rule;
  rule.chance = 0.3;
  rule.fault = status(403, "ThrottlingException");
  aws_.faults().add(rule);
  SqsSettings usual = settings();
  usual.access.retry = {};
  SqsQueue queue(std::move(usual));
  std::set<std::string> ids;
  for (const Message& message : drain(queue)) ids.insert(message.id);
  EXPECT_EQ(ids.size(), 60U);
}

TEST_F(SqsRecovery, a_queue_drains_although_every_third_answer_is_lost_after_its_effect) {
  send(200);
  lose_every_third_answer();
  SqsSettings usual = settings();
  usual.access.retry = {};
  SqsQueue queue(std::move(usual));
  std::set<std::string> ids;
  for (const Message& message : drain(queue)) ids.insert(message.id);
  EXPECT_EQ(ids.size(), 200U);
}

TEST_F(SqsRecovery, a_fifo_queue_gives_lost_answers_again_and_each_message_once) {
  add("login-queue.fifo");
  for (const char* group : {"a", "b", "c"}) send(40, std::string(group) + "-", group);
  lose_every_third_answer();
  SqsSettings usual = settings();
  usual.access.retry = {};
  SqsQueue queue(std::move(usual));
  std::map<std::string, std::vector<std::string>> groups;
  for (Message& message : drain(queue)) groups[message.group].push_back(std::move(message.body));
  ASSERT_EQ(groups.size(), 3U);
  for (const auto& [group, bodies] : groups) {
    ASSERT_EQ(bodies.size(), 40U);
    for (int i = 0; i < 40; ++i) EXPECT_EQ(bodies[i], group + "-" + std::to_string(i));
  }
}

TEST_F(SqsRecovery, a_fifo_delete_after_its_lease_is_the_fault_of_the_sender) {
  add("login-queue.fifo");
  send(2, "body", "group");
  SqsQueue queue(settings());
  queue.receive(1, 10, 0, 60);
  const auto handles = handles_of(next<Received>(queue));
  aws_.sqs().advance(61'000);
  queue.remove(2, handles);
  for (const EntryResult& result : next<BatchAnswered>(queue).results) {
    EXPECT_FALSE(result.done);
    EXPECT_TRUE(result.sender_fault);
    EXPECT_EQ(result.code, "ReceiptHandleIsInvalid");
  }
}

TEST_F(SqsRecovery, what_rests_between_attempts_is_abandoned_with_the_rest) {
  fault("ReceiveMessage", status(403, "SlowDown"));
  SqsQueue queue(settings());
  for (Ticket ticket = 1; ticket <= 8; ++ticket) queue.receive(ticket, 10, 0, 60);
  std::vector<QueueAnswer> answers;
  while (queue.requests().at("ReceiveMessage").sent < 9) queue.wait(10, answers);
  queue.abandon();
  aws_.faults().clear();
  EXPECT_EQ(queue.facts().visibility_s, 30) << "which refuses to begin beside orders";
}

TEST_F(SqsRecovery, what_rests_between_attempts_is_not_sent_after_a_stop) {
  fault("ReceiveMessage", status(403, "SlowDown"));
  SqsQueue queue(settings());
  constexpr std::size_t kReceives = 8;
  for (Ticket ticket = 1; ticket <= kReceives; ++ticket) queue.receive(ticket, 10, 20, 60);
  std::vector<QueueAnswer> answers;
  while (queue.requests().at("ReceiveMessage").sent < kReceives + 1) queue.wait(10, answers);
  queue.stop_receiving();
  const std::uint64_t sent = queue.requests().at("ReceiveMessage").sent;
  while (answers.size() < kReceives) queue.wait(1000, answers);
  for (const QueueAnswer& answer : answers) {
    EXPECT_TRUE(std::holds_alternative<CallFailed>(answer));
  }
  EXPECT_EQ(queue.requests().at("ReceiveMessage").sent, sent);
}

// ---- the clock ----

TEST_F(SqsRecovery, a_wrong_clock_is_corrected_once_for_all_calls) {
  send(20);
  std::uint64_t before = 0;
  for (const std::int64_t minutes : {10, -10, 120, -120}) {
    aws_.sqs().set_clock_offset(minutes * 60'000);
    SqsQueue queue(settings());
    for (Ticket ticket = 1; ticket <= 8; ++ticket) queue.receive(ticket, 10, 0, 60);
    for (const QueueAnswer& answer : answers_of(queue, 8)) {
      EXPECT_TRUE(std::holds_alternative<Received>(answer));
    }
    EXPECT_LE(queue.requests().at("ReceiveMessage").sent, 16U) << "each is refused once at most";
    EXPECT_EQ(aws_.take_problems().size(), queue.requests().at("ReceiveMessage").sent - 8);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(queue.facts().visibility_s, 30);
    EXPECT_EQ(queue.requests().at("GetQueueAttributes").sent, 10U) << "the offset is kept";
    before += 10;
    EXPECT_EQ(aws_.calls().at("GetQueueAttributes"), before);
  }
}

TEST_F(SqsRecovery, a_right_clock_is_not_corrected_again) {
  fault("GetQueueAttributes", status(403, "RequestTimeTooSkewed"));
  SqsQueue queue(settings());
  const Failure failure = refusal([&] { queue.facts(); });
  EXPECT_EQ(failure.fault(), Fault::rights);
  EXPECT_EQ(queue.requests().at("GetQueueAttributes").sent, 1U);
}

TEST_F(SqsRecovery, a_wrong_secret_is_a_fault_of_rights_without_a_retry) {
  SandboxCredentials wrong;
  wrong.secret_key = "not the secret";
  SqsQueue queue(settings([&] { return keys(wrong); }));
  const Failure failure = refusal([&] { queue.facts(); });
  EXPECT_EQ(failure.fault(), Fault::rights);
  EXPECT_NE(failure.message().find("SignatureDoesNotMatch"), std::string::npos);
  EXPECT_EQ(queue.requests().at("GetQueueAttributes").sent, 1U);
  aws_.take_problems();
}

// ---- credentials ----

/// Keys that run out in the middle of a run, and what their provider says then.
class SqsCredentials : public SqsScene {
 protected:
  void SetUp() override {
    SqsScene::SetUp();
    old_.token = "old";
    fresh_.access_key = "AKIDFRESH";
    fresh_.token = "new";
    aws_.set_credentials(old_);
    aws_.set_credentials(fresh_);
  }
  void TearDown() override {
    for (const std::string& problem : aws_.take_problems()) {
      EXPECT_NE(problem.find("ExpiredToken"), std::string::npos) << problem;
    }
  }

  void expire(SandboxCredentials credentials) {
    credentials.expired = true;
    aws_.set_credentials(credentials);
  }
  /// A client that has worked already, with `later` as the second and every further answer.
  std::unique_ptr<SqsQueue> working(std::function<Credentials()> later) {
    auto queue = std::make_unique<SqsQueue>(settings(
        [this, later = std::move(later)] { return ++fetched_ == 1 ? keys(old_) : later(); }));
    queue->facts();
    return queue;
  }

  SandboxCredentials old_;
  SandboxCredentials fresh_;
  std::atomic<int> fetched_ = 0;
};

TEST_F(SqsCredentials, those_that_ran_out_are_fetched_again_once_and_no_call_fails) {
  send(30);
  const auto queue = working([this] { return keys(fresh_); });
  expire(old_);
  for (Ticket ticket = 1; ticket <= 8; ++ticket) queue->receive(ticket, 10, 0, 60);
  std::size_t messages = 0;
  for (const QueueAnswer& answer : answers_of(*queue, 8)) {
    ASSERT_TRUE(std::holds_alternative<Received>(answer));
    messages += std::get<Received>(answer).messages.size();
  }
  EXPECT_EQ(messages, 30U);
  EXPECT_EQ(fetched_, 2);
  EXPECT_LE(queue->requests().at("ReceiveMessage").sent, 16U);
  queue->counts();
  EXPECT_EQ(queue->requests().at("GetQueueAttributes").sent, 2U) << "later calls have the new ones";
}

TEST_F(SqsCredentials, a_provider_that_is_away_is_a_temporary_failure) {
  const auto queue = working([]() -> Credentials {
    throw Failure(Fault::temporary, "credentials: cannot reach the provider", "run again later");
  });
  expire(old_);
  const Failure failure = refusal([&] { queue->facts(); });
  EXPECT_EQ(failure.fault(), Fault::temporary);
  EXPECT_EQ(failure.message(), "credentials: cannot reach the provider");
}

TEST_F(SqsCredentials, a_provider_that_refuses_leaves_the_word_to_sqs) {
  const auto queue = working([]() -> Credentials {
    throw Failure(Fault::rights, "credentials: none of your business", "");
  });
  expire(old_);
  const Failure failure = refusal([&] { queue->facts(); });
  EXPECT_EQ(failure.fault(), Fault::rights);
  EXPECT_NE(failure.message().find("ExpiredToken"), std::string::npos);
  EXPECT_NE(failure.hint().find("the test"), std::string::npos);
}

TEST_F(SqsCredentials, the_same_again_are_not_tried_again) {
  const auto queue = working([this] { return keys(old_); });
  expire(old_);
  EXPECT_EQ(refusal([&] { queue->facts(); }).fault(), Fault::rights);
  EXPECT_EQ(queue->requests().at("GetQueueAttributes").sent, 2U);
}

TEST_F(SqsCredentials, others_that_are_refused_too_are_the_end) {
  SandboxCredentials third;
  third.access_key = "AKIDTHIRD";
  const auto queue = working([&] { return keys(fetched_ == 2 ? fresh_ : third); });
  for (const SandboxCredentials& each : {old_, fresh_, third}) expire(each);
  EXPECT_EQ(refusal([&] { queue->facts(); }).fault(), Fault::rights);
  EXPECT_EQ(queue->requests().at("GetQueueAttributes").sent, 3U) << "one attempt with each";
}

// ---- what is fatal ----

TEST_F(SqsRecovery, each_class_of_error_has_its_exit_status) {
  const struct {
    int status;
    const char* code;
    Fault fault;
  } kRows[] = {{403, "RequestThrottled", Fault::temporary},
               {400, "KmsThrottled", Fault::temporary},
               {500, "InternalFailure", Fault::temporary},
               {429, "", Fault::temporary},
               {403, "InvalidSignatureException", Fault::rights},
               {403, "ExpiredToken", Fault::rights},
               {403, "InvalidClientTokenId", Fault::rights},
               {400, "AccessDeniedException", Fault::rights},
               {403, "InvalidSecurity", Fault::rights},
               {400, "KmsDisabled", Fault::rights},
               {400, "QueueDoesNotExist", Fault::configuration},
               {404, "InvalidAddress", Fault::configuration},
               {400, "UnsupportedOperation", Fault::configuration},
               {403, "InvalidParameterValue", Fault::configuration},
               {400, "EmptyBatchRequest", Fault::bug}};
  SqsSettings once = settings();
  once.access.retry = {1, std::nullopt};
  SqsQueue queue(std::move(once));
  std::uint64_t made = 0;
  for (const auto& row : kRows) {
    fault("*", status(row.status, row.code));
    const Failure failure = refusal([&] { queue.facts(); });
    EXPECT_EQ(failure.fault(), row.fault) << row.code << ": " << failure.message();
    EXPECT_NE(failure.message().find("request "), std::string::npos) << failure.message();
    EXPECT_EQ(queue.requests().at("GetQueueAttributes").sent, ++made) << row.code;
    aws_.faults().clear();
  }
}

}  // namespace
}  // namespace sluice
