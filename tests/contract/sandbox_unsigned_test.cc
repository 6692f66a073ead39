// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/support/aws_sandbox.h"
#include "tests/support/sqs_caller.h"

namespace sluice {
namespace {

int status_without_signature(const AwsSandbox& aws, const std::string& body) {
  Http http({.ca_bundle = "", .user_agent = "sluice-tests"});
  http.start(1, {.origin = aws.endpoint(),
                 .headers = {{"Host", "127.0.0.1:" + std::to_string(aws.port())},
                             {"Content-Type", "application/x-amz-json-1.0"},
                             {"X-Amz-Target", "AmazonSQS.ReceiveMessage"}},
                 .body = body,
                 .timeout_ms = 30'000});
  std::vector<HttpAnswer> answers;
  while (answers.empty()) http.wait(30'000, answers);
  return answers.front().status;
}

TEST(SandboxForBenches, serves_what_is_not_signed_and_still_refuses_what_is_signed_wrongly) {
  AwsSandbox aws;
  const boost::json::object request{{"QueueUrl", aws.sqs().add_queue({.name = "orders"})}};
  const std::string body = boost::json::serialize(request);
  SqsCaller wrong({aws.endpoint(), SandboxCredentials().access_key, "another secret"});

  EXPECT_EQ(status_without_signature(aws, body), 403);
  EXPECT_EQ(wrong.ask("ReceiveMessage", request).status, 403);
  aws.allow_unsigned();
  EXPECT_EQ(status_without_signature(aws, body), 200);
  EXPECT_EQ(wrong.ask("ReceiveMessage", request).status, 403);
  EXPECT_EQ(aws.take_problems().size(), 3U);
}

}  // namespace
}  // namespace sluice
