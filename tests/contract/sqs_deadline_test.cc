// SPDX-License-Identifier: Apache-2.0
// Nothing that a server does, or does not do, keeps the client for longer than it was told to wait.
#include <chrono>
#include <thread>

#include "job/queue/sqs_client.h"
#include "tests/contract/raw_server.h"
#include "tests/contract/sqs_scene.h"

namespace sluice {
namespace {

constexpr std::int64_t kTimeoutMs = 200;

SqsOutcome only(SqsClient& client) {
  std::vector<SqsOutcome> outcomes;
  while (outcomes.empty()) client.wait(60'000, outcomes);
  EXPECT_EQ(outcomes.size(), 1U);
  EXPECT_TRUE(client.is_idle());
  return outcomes.at(0);
}

/// What becomes of a receive before a server that does so with every connection.
SqsOutcome received_from(RawServer::Script script, std::int64_t timeout_ms = kTimeoutMs) {
  RawServer server(std::move(script));
  SqsClient client(access_to(server.endpoint(), {2, std::nullopt}), "q");
  client.start({Operation::receive_message, "{}", 1, 0, timeout_ms});
  SqsOutcome outcome = only(client);
  EXPECT_EQ(client.requests().at("ReceiveMessage").sent, 2U) << "tried again, once";
  return outcome;
}

void expect_temporary(const SqsOutcome& outcome, const std::string& cause) {
  ASSERT_TRUE(outcome.failure);
  EXPECT_EQ(outcome.failure->fault(), Fault::temporary);
  EXPECT_NE(outcome.failure->message().find(cause), std::string::npos)
      << outcome.failure->message();
}

TEST(SqsDeadline, a_call_that_is_accepted_and_never_answered_ends) {
  expect_temporary(received_from([](auto& connection) { connection.hold(); }), "timed out");
}

TEST(SqsDeadline, an_answer_that_stalls_in_its_body_ends) {
  expect_temporary(received_from([](auto& connection) {
                     connection.request();
                     connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"Mess");
                     connection.hold();
                   }),
                   "timed out");
}

TEST(SqsDeadline, an_answer_that_comes_byte_by_byte_ends) {
  expect_temporary(received_from([](auto& connection) {
                     connection.request();
                     connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
                     while (connection.send(" ")) {
                       std::this_thread::sleep_for(std::chrono::milliseconds(5));
                     }
                   }),
                   "timed out");
}

TEST(SqsDeadline, an_answer_that_is_cut_is_none) {
  expect_temporary(
      received_from(
          [](auto& connection) {
            connection.request();
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"Messages\":[]");
          },
          20'000),
      "cannot reach");
}

TEST(SqsDeadline, an_answer_without_end_is_not_kept) {
  expect_temporary(received_from(
                       [](auto& connection) {
                         connection.request();
                         connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                         const std::string chunk =
                             "100000\r\n" + std::string(1 << 20, 'x') + "\r\n";
                         while (connection.send(chunk)) {
                         }
                       },
                       20'000),
                   "larger than 64MiB");
}

TEST(SqsDeadline, what_speaks_no_http_is_no_answer) {
  expect_temporary(received_from(
                       [](auto& connection) {
                         connection.request();
                         connection.send("SSH-2.0-OpenSSH_9.2\r\n");
                       },
                       20'000),
                   "cannot reach");
}

TEST(SqsDeadline, success_with_something_else_in_it_is_a_failure_that_names_the_endpoint) {
  RawServer server([](RawServer::Connection& connection) {
    while (!connection.request().empty()) connection.send(http_answer(200, "<html>hello</html>"));
  });
  SqsSettings settings;
  settings.access = access_to(server.endpoint(), {1, std::nullopt});
  settings.queue_url = server.endpoint() + "/000000000000/q";
  SqsQueue queue(std::move(settings));
  queue.receive(1, 10, 0, 60);
  std::vector<QueueAnswer> answers;
  while (answers.empty()) queue.wait(60'000, answers);
  const auto* const failed = std::get_if<CallFailed>(&answers.at(0));
  ASSERT_NE(failed, nullptr);
  EXPECT_EQ(failed->failure.fault(), Fault::temporary);
  EXPECT_NE(failed->failure.message().find(server.endpoint()), std::string::npos);
}

}  // namespace
}  // namespace sluice
