// SPDX-License-Identifier: Apache-2.0
#include "job/queue/sqs_failure.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

RefusedCall refused(int status, const std::string& code, const std::string& message = "") {
  return {.operation = Operation::delete_message_batch,
          .queue = "login-queue",
          .region = "eu-west-1",
          .endpoint = "https://sqs.eu-west-1.amazonaws.com",
          .credentials_origin = "the environment",
          .attempts = 1,
          .status = status,
          .error = {code, message},
          .request_id = "r-1"};
}

TEST(SqsFailure, a_message_names_operation_queue_region_code_and_request) {
  const Failure failure = failure_of(refused(403, "AccessDenied", "User x may not"));
  EXPECT_EQ(failure.fault(), Fault::rights);
  EXPECT_EQ(failure.message(),
            "DeleteMessageBatch on queue login-queue in eu-west-1: AccessDenied: User x may not "
            "(request r-1)");
  EXPECT_NE(failure.hint().find("sqs:DeleteMessage "), std::string::npos);
  EXPECT_NE(failure.hint().find("the environment"), std::string::npos);
}

TEST(SqsFailure,
     a_wrong_signature_points_at_secret_and_region_and_repeats_nothing_that_was_signed) {
  const Failure failure = failure_of(
      refused(403, "SignatureDoesNotMatch", "should have been x-amz-security-token:SECRET"));
  EXPECT_EQ(failure.fault(), Fault::rights);
  EXPECT_EQ(failure.message().find("SECRET"), std::string::npos);
  EXPECT_NE(failure.hint().find("secret key"), std::string::npos);
  EXPECT_NE(failure.hint().find("eu-west-1"), std::string::npos);
}

TEST(SqsFailure, each_kind_has_its_fault) {
  EXPECT_EQ(failure_of(refused(400, "QueueDoesNotExist")).fault(), Fault::configuration);
  EXPECT_EQ(failure_of(refused(403, "ExpiredToken")).fault(), Fault::rights);
  EXPECT_EQ(failure_of(refused(503, "")).fault(), Fault::temporary);
  EXPECT_EQ(failure_of(refused(400, "RequestThrottled")).fault(), Fault::temporary);
  EXPECT_EQ(failure_of(refused(400, "EmptyBatchRequest")).fault(), Fault::bug);
}

TEST(SqsFailure, a_right_that_lacks_is_named_with_the_queue_it_is_needed_on) {
  RefusedCall call = refused(403, "AccessDenied");
  EXPECT_NE(failure_of(call).hint().find("sqs:DeleteMessage on the queue"), std::string::npos);
  call.error.code = "KmsAccessDenied";
  EXPECT_NE(failure_of(call).hint().find("kms:Decrypt on the key of the queue"), std::string::npos);
  call.operation = Operation::send_message_batch;
  EXPECT_NE(failure_of(call).hint().find(
                "kms:GenerateDataKey and kms:Decrypt on the key of the dead-letter queue"),
            std::string::npos);
  call.error.code = "AccessDenied";
  EXPECT_NE(failure_of(call).hint().find("sqs:SendMessage on the dead-letter queue"),
            std::string::npos);
}

TEST(SqsFailure, an_endpoint_that_does_not_answer_is_named_with_the_attempts) {
  RefusedCall call = refused(0, "", "could not connect");
  call.attempts = 8;
  const Failure failure = failure_of(call);
  EXPECT_EQ(failure.fault(), Fault::temporary);
  EXPECT_EQ(failure.message(),
            "DeleteMessageBatch on queue login-queue in eu-west-1: cannot reach "
            "https://sqs.eu-west-1.amazonaws.com: could not connect, after 8 attempts");
}

TEST(SqsFailure, a_page_of_a_proxy_is_shown_cut_and_printable) {
  const Failure failure = failure_of(refused(502, "", "<html>\n" + std::string(5000, 'x')));
  EXPECT_TRUE(failure.message().find("status 502: <html>?xxx") != std::string::npos);
  EXPECT_LT(failure.message().size(), 500U);
}

}  // namespace
}  // namespace sluice
