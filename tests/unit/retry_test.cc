// SPDX-License-Identifier: Apache-2.0
#include "job/aws/retry.h"

#include <gtest/gtest.h>

#include "tests/support/aws_files.h"

namespace sluice {
namespace {

TEST(Retry, a_code_decides_before_the_status) {
  EXPECT_EQ(classify("RequestThrottled", 403), ErrorClass::throttle);
  EXPECT_EQ(classify("OverLimit", 403), ErrorClass::back_pressure);
  EXPECT_EQ(classify("RequestTimeout", 400), ErrorClass::transient);
  EXPECT_EQ(classify("KmsThrottled", 400), ErrorClass::throttle);
  EXPECT_EQ(classify("KmsDisabled", 400), ErrorClass::fatal_rights);
  EXPECT_EQ(classify("SignatureDoesNotMatch", 403), ErrorClass::clock);
  EXPECT_EQ(classify("ExpiredToken", 403), ErrorClass::credentials);
  EXPECT_EQ(classify("AccessDenied", 500), ErrorClass::fatal_rights);
  EXPECT_EQ(classify("QueueDoesNotExist", 400), ErrorClass::fatal_configuration);
  EXPECT_EQ(classify("InvalidParameterValue", 403), ErrorClass::fatal_configuration);
  EXPECT_EQ(classify("EmptyBatchRequest", 400), ErrorClass::our_bug);
}

TEST(Retry, an_unknown_code_is_judged_by_its_status) {
  for (const int status : {0, 408, 429, 500, 502, 503, 504, 599}) {
    EXPECT_EQ(classify("Unheard", status), ErrorClass::transient) << status;
    EXPECT_EQ(classify("", status), ErrorClass::transient) << status;
  }
  EXPECT_EQ(classify("", 403), ErrorClass::fatal_rights);
  EXPECT_EQ(classify("", 407), ErrorClass::fatal_rights);
  EXPECT_EQ(classify("", 301), ErrorClass::fatal_configuration);
  EXPECT_EQ(classify("Unheard", 400), ErrorClass::fatal_configuration);
  EXPECT_EQ(classify("", 404), ErrorClass::fatal_configuration);
}

TEST(Retry, only_throttling_and_passing_errors_are_worth_another_attempt) {
  const RetryPolicy policy;
  EXPECT_TRUE(policy.delay_ms(ErrorClass::throttle, 1, 0, 0.5, {}));
  EXPECT_TRUE(policy.delay_ms(ErrorClass::transient, 1, 0, 0.5, {}));
  for (const ErrorClass error :
       {ErrorClass::back_pressure, ErrorClass::clock, ErrorClass::credentials,
        ErrorClass::fatal_rights, ErrorClass::fatal_configuration, ErrorClass::our_bug}) {
    EXPECT_FALSE(policy.delay_ms(error, 1, 0, 0.5, {}));
  }
}

TEST(Retry, the_delay_doubles_up_to_twenty_seconds_and_is_drawn_from_all_of_it) {
  const RetryPolicy policy{.most_attempts = 100, .budget_ms = {}};
  EXPECT_EQ(policy.delay_ms(ErrorClass::transient, 1, 0, 0.5, {}), 25);
  EXPECT_EQ(policy.delay_ms(ErrorClass::transient, 3, 0, 0.5, {}), 100);
  EXPECT_EQ(policy.delay_ms(ErrorClass::throttle, 1, 0, 0.5, {}), 500);
  EXPECT_EQ(policy.delay_ms(ErrorClass::throttle, 4, 0, 0.5, {}), 4000);
  EXPECT_EQ(policy.delay_ms(ErrorClass::throttle, 99, 0, 0.5, {}), 10'000);
  EXPECT_EQ(policy.delay_ms(ErrorClass::throttle, 4, 0, 0.0, {}), 0);
}

TEST(Retry, the_wish_of_the_server_is_honoured_within_five_seconds) {
  const RetryPolicy policy;
  EXPECT_EQ(policy.delay_ms(ErrorClass::throttle, 1, 0, 0.5, 2000), 2000);
  EXPECT_EQ(policy.delay_ms(ErrorClass::throttle, 1, 0, 0.5, 100), 500);
  EXPECT_EQ(policy.delay_ms(ErrorClass::throttle, 1, 0, 0.5, 3'600'000), 5500);
}

TEST(Retry, attempts_and_time_are_bounded) {
  const RetryPolicy policy;
  EXPECT_TRUE(policy.delay_ms(ErrorClass::transient, 7, 0, 0.5, {}));
  EXPECT_FALSE(policy.delay_ms(ErrorClass::transient, 8, 0, 0.5, {}));
  EXPECT_TRUE(policy.delay_ms(ErrorClass::transient, 1, 59'000, 0.5, {}));
  EXPECT_FALSE(policy.delay_ms(ErrorClass::transient, 1, 60'000, 0.5, {}));
}

TEST(Retry, aws_max_attempts_counts_all_attempts_and_lifts_the_limit_of_time) {
  AwsFiles files;
  const Environment environment = files.environment();
  files.config("[default]\nmax_attempts = 3\n");
  const auto policy = [&] { return find_retry_policy(environment, Profile("", environment)); };
  EXPECT_EQ(policy().most_attempts, 3);
  files.variables["AWS_MAX_ATTEMPTS"] = "2";
  EXPECT_TRUE(policy().delay_ms(ErrorClass::transient, 1, 3'600'000, 0.5, {}));
  EXPECT_FALSE(policy().delay_ms(ErrorClass::transient, 2, 0, 0.5, {}));
  for (const char* wrong : {"0", "-1", "many", "2 "}) {
    files.variables["AWS_MAX_ATTEMPTS"] = wrong;
    EXPECT_THROW(policy(), Failure) << wrong;
  }
}

}  // namespace
}  // namespace sluice
