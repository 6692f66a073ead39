// SPDX-License-Identifier: Apache-2.0
// The sandbox refuses what AWS refuses: a lenient judge would prove nothing.
#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/support/login_messages.h"
#include "tests/support/sandbox_queue.h"
#include "tests/support/sandbox_refusal.h"
#include "tests/support/sandbox_shapes.h"
#include "tests/support/sandbox_sigv4.h"

namespace sluice {
namespace {

constexpr std::int64_t kSignedAtMs = 1'795'169'220'000;  // 2026-11-20T10:07:00Z

/// Signed by botocore 1.43.
SandboxRequest signed_request() {
  return {
      "POST",
      "/",
      {{"content-type", "application/x-amz-json-1.0"},
       {"x-amz-target", "AmazonSQS.ReceiveMessage"},
       {"host", "127.0.0.1:4566"},
       {"x-amz-note", "two   spaces"},
       {"x-amz-date", "20261120T100700Z"},
       {"x-amz-security-token", "TOKEN"},
       {"authorization",
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261120/us-east-1/sqs/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date;x-amz-note;x-amz-security-token;x-amz-target, "
        "Signature=bee1c6c1c7be9c327ab29fad9f4aeae48a52993753cb75762a4c8beba3390b4d"}},
      R"({"QueueUrl":"q"})"};
}

std::string& header(SandboxRequest& request, const std::string& name) {
  for (auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return request.headers.emplace_back(name, "").second;
}

/// The code of the refusal, or nothing.
std::string verdict(const SandboxRequest& request, std::int64_t at_ms = kSignedAtMs,
                    bool expired = false, const std::string& region = "us-east-1") {
  SandboxCredentials credentials;
  credentials.token = "TOKEN";
  credentials.expired = expired;
  try {
    verify_signature(request, {{credentials.access_key, credentials}}, region, at_ms);
    return "";
  } catch (const SandboxRefusal& refusal) {
    return refusal.code();
  }
}

void replace(std::string& text, const std::string& from, const std::string& to) {
  text.replace(text.find(from), from.size(), to);
}

TEST(SandboxSigV4, a_signature_by_another_signer_is_accepted) {
  EXPECT_EQ(verdict(signed_request()), "");
}

TEST(SandboxSigV4, a_changed_body_or_header_is_noticed) {
  SandboxRequest request = signed_request();
  request.body += " ";
  EXPECT_EQ(verdict(request), "SignatureDoesNotMatch");
  request = signed_request();
  header(request, "x-amz-target") = "AmazonSQS.SendMessage";
  EXPECT_EQ(verdict(request), "SignatureDoesNotMatch");
}

TEST(SandboxSigV4, every_header_of_amazon_s_must_be_signed) {
  SandboxRequest request = signed_request();
  header(request, "x-amz-more") = "1";
  EXPECT_EQ(verdict(request), "SignatureDoesNotMatch");
}

TEST(SandboxSigV4, what_may_change_on_the_way_must_not_be_signed) {
  SandboxRequest request = signed_request();
  header(request, "user-agent") = "x";
  replace(header(request, "authorization"), "content-type;host;", "content-type;host;user-agent;");
  EXPECT_EQ(verdict(request), "SignatureDoesNotMatch");
}

TEST(SandboxSigV4, signed_headers_are_sorted) {
  SandboxRequest request = signed_request();
  replace(header(request, "authorization"), "content-type;host;", "host;content-type;");
  EXPECT_EQ(verdict(request), "IncompleteSignature");
}

TEST(SandboxSigV4, no_signature_is_told_apart_from_a_wrong_one) {
  SandboxRequest request = signed_request();
  header(request, "authorization").clear();
  EXPECT_EQ(verdict(request), "MissingAuthenticationToken");
}

TEST(SandboxSigV4, keys_tokens_and_scopes_are_told_apart) {
  EXPECT_EQ(verdict(signed_request(), kSignedAtMs, true), "ExpiredToken");
  EXPECT_EQ(verdict(signed_request(), kSignedAtMs, false, "eu-west-1"), "SignatureDoesNotMatch");
  SandboxRequest request = signed_request();
  replace(header(request, "authorization"), "AKIDEXAMPLE", "AKIDANOTHER");
  EXPECT_EQ(verdict(request), "InvalidClientTokenId");
  request = signed_request();
  header(request, "x-amz-security-token") = "OTHER";
  EXPECT_EQ(verdict(request), "InvalidClientTokenId");
}

TEST(SandboxSigV4, the_clocks_may_differ_by_five_minutes) {
  EXPECT_EQ(verdict(signed_request(), kSignedAtMs + 300'000), "");
  EXPECT_EQ(verdict(signed_request(), kSignedAtMs + 301'000), "RequestTimeTooSkewed");
  EXPECT_EQ(verdict(signed_request(), kSignedAtMs - 301'000), "RequestTimeTooSkewed");
}

std::string shape_verdict(std::string_view operation, std::string_view request) {
  try {
    check_request(operation, boost::json::parse({request.data(), request.size()}).as_object());
    return "";
  } catch (const SandboxRefusal& refusal) {
    return refusal.code();
  }
}

TEST(SandboxShapes, fields_types_and_ranges_are_checked) {
  const auto receive = [](const std::string& rest) {
    return shape_verdict("ReceiveMessage", R"({"QueueUrl":"q")" + rest + "}");
  };
  EXPECT_EQ(receive(R"(,"MaxNumberOfMessages":10)"), "");
  EXPECT_EQ(receive(R"(,"MaxNumberOfMessages":11)"), "InvalidParameterValue");
  EXPECT_EQ(receive(R"(,"MaxNumberOfMessages":0)"), "InvalidParameterValue");
  EXPECT_EQ(receive(R"(,"MaxNumberOfMessages":"10")"), "SerializationException");
  EXPECT_EQ(receive(R"(,"WaitTimeSeconds":21)"), "InvalidParameterValue");
  EXPECT_EQ(receive(R"(,"VisibilityTimeout":43201)"), "InvalidParameterValue");
  EXPECT_EQ(receive(R"(,"Visibility":1)"), "UnknownParameter");
  EXPECT_EQ(receive(R"(,"MessageSystemAttributeNames":["SentTimestamp"])"), "");
  EXPECT_EQ(receive(R"(,"MessageSystemAttributeNames":["Sent"])"), "InvalidAttributeName");
  EXPECT_EQ(shape_verdict("ReceiveMessage", "{}"), "MissingParameter");
}

TEST(SandboxShapes, a_batch_has_its_rules) {
  const auto entries = [](const std::string& list) {
    return shape_verdict("DeleteMessageBatch", R"({"QueueUrl":"q","Entries":[)" + list + "]}");
  };
  const auto entry = [](const std::string& id) {
    return R"({"Id":")" + id + R"(","ReceiptHandle":"r"})";
  };
  std::string ten = entry("0");
  for (int i = 1; i < 10; ++i) ten += "," + entry(std::to_string(i));
  EXPECT_EQ(entries(ten), "");
  EXPECT_EQ(entries(ten + "," + entry("10")), "TooManyEntriesInBatchRequest");
  EXPECT_EQ(entries(""), "EmptyBatchRequest");
  EXPECT_EQ(entries(entry("a") + "," + entry("a")), "BatchEntryIdsNotDistinct");
  EXPECT_EQ(entries(entry("a.b")), "InvalidBatchEntryId");
  EXPECT_EQ(entries(entry(std::string(81, 'a'))), "InvalidBatchEntryId");
  EXPECT_EQ(entries(R"({"Id":"a"})"), "MissingParameter");
  const std::string half(600'000, 'x');
  EXPECT_EQ(shape_verdict("SendMessageBatch",
                          R"({"QueueUrl":"q","Entries":[{"Id":"a","MessageBody":")" + half +
                              R"("},{"Id":"b","MessageBody":")" + half + R"("}]})"),
            "BatchRequestTooLong");
  EXPECT_EQ(shape_verdict("SendMessage", R"({"QueueUrl":"q","MessageBody":")" +
                                             std::string(kLargestMessage - 10, 'x') +
                                             R"(","MessageAttributes":{"name":)"
                                             R"({"DataType":"String","StringValue":"v"}}})"),
            "InvalidParameterValue")
      << "attributes count, with names and types";
}

TEST(SandboxQueue, what_is_received_too_often_goes_to_the_dead_letters) {
  const Now at{0, kSignedAtMs};
  SandboxQueue dead({.name = "dead"}, 1);
  SandboxQueue queue({.name = "orders", .max_receive_count = 2, .dead_letter_queue = "dead"}, 2,
                     &dead);
  queue.send({.body = "x"}, at);
  const std::string id = queue.receive(1, 0, at).at(0).message.id;
  EXPECT_EQ(queue.receive(1, 0, at).size(), 1u);
  EXPECT_TRUE(queue.receive(1, 0, at).empty());
  EXPECT_EQ(queue.tally(at).left(), 0u);
  EXPECT_EQ(dead.receive(1, 0, at).at(0).message.id, id);
}

TEST(SandboxQueue, nothing_is_hidden_beyond_twelve_hours_from_its_receive) {
  SandboxQueue queue({.name = "orders"}, 1);
  queue.send({.body = "x"}, {0, kSignedAtMs});
  const std::string handle = queue.receive(1, 43'200, {0, kSignedAtMs}).at(0).message.receipt;
  EXPECT_THROW(queue.change_visibility(handle, 43'200, {1000, kSignedAtMs}), SandboxRefusal);
  EXPECT_NO_THROW(queue.change_visibility(handle, 43'199, {1000, kSignedAtMs}));
}

TEST(SandboxQueue, a_fifo_attempt_that_is_repeated_gets_the_same_messages) {
  const Now at{0, kSignedAtMs};
  SandboxQueue queue({.name = "orders.fifo"}, 1);
  for (const char* body : {"a", "b"}) queue.send({.body = body, .group = "g"}, at);
  const std::string first = queue.receive(10, 30, at, "attempt").at(0).message.receipt;
  EXPECT_EQ(queue.receive(10, 30, at, "attempt").at(0).message.receipt, first);
  EXPECT_TRUE(queue.receive(10, 30, at, "another").empty());
}

TEST(SandboxQueue, a_fifo_attempt_hides_its_messages_anew_and_is_known_for_five_minutes) {
  SandboxQueue queue({.name = "orders.fifo"}, 1);
  queue.send({.body = "a", .group = "g"}, {0, kSignedAtMs});
  queue.receive(10, 30, {0, kSignedAtMs}, "attempt");
  EXPECT_EQ(queue.receive(10, 400, {20'000, kSignedAtMs}, "attempt").size(), 1U);
  EXPECT_EQ(queue.receive(10, 400, {300'000, kSignedAtMs}, "attempt").size(), 1U);
  EXPECT_TRUE(queue.receive(10, 400, {300'001, kSignedAtMs}, "attempt").empty());
}

TEST(LoginMessages, one_in_a_hundred_is_bad_and_a_seed_repeats_them) {
  int bad = 0;
  for (std::uint64_t number = 0; number < 10'000; ++number) {
    const LoginMessage message = login_message(7, number);
    bad += message.flaw.empty() ? 0 : 1;
    ASSERT_EQ(message.body, login_message(7, number).body);
  }
  EXPECT_GT(bad, 50);
  EXPECT_LT(bad, 150);
}

}  // namespace
}  // namespace sluice
