// SPDX-License-Identifier: Apache-2.0
#include "job/aws/retry.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/aws_files.h"

namespace sluice {
namespace {

struct Expected {
  ErrorClass error;
  Fault fault;
  std::vector<const char*> codes;
};

/// Class, exit status and codes, as the AWS SDKs and SQS's own documentation have them.
const std::vector<Expected> kTable = {
    {ErrorClass::throttle,
     Fault::temporary,
     {"RequestThrottled", "Throttling", "ThrottlingException", "ThrottledException",
      "RequestThrottledException", "TooManyRequestsException", "RequestLimitExceeded",
      "BandwidthLimitExceeded", "LimitExceededException", "SlowDown", "PriorRequestNotComplete",
      "KmsThrottled", "KMS.ThrottlingException"}},
    {ErrorClass::transient,
     Fault::temporary,
     {"RequestTimeout", "RequestTimeoutException", "InternalFailure", "InternalError",
      "ServiceUnavailable", "IDPCommunicationError"}},
    {ErrorClass::back_pressure, Fault::temporary, {"OverLimit"}},
    {ErrorClass::clock,
     Fault::rights,
     {"RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture", "InvalidSignatureException",
      "SignatureDoesNotMatch", "AuthFailure"}},
    {ErrorClass::credentials,
     Fault::rights,
     {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId",
      "UnrecognizedClientException"}},
    {ErrorClass::fatal_rights,
     Fault::rights,
     {"AccessDenied", "AccessDeniedException", "InvalidSecurity", "MissingAuthenticationToken",
      "KmsAccessDenied", "KmsDisabled", "KmsInvalidState", "KmsNotFound", "KmsOptInRequired",
      "KmsInvalidKeyUsage", "KMS.AccessDeniedException", "KMS.DisabledException"}},
    {ErrorClass::fatal_configuration,
     Fault::configuration,
     {"QueueDoesNotExist", "InvalidAddress", "UnsupportedOperation", "InvalidAction",
      "InvalidParameterValue", "InvalidAttributeName", "InvalidMessageContents", "MissingParameter",
      "MissingRequiredParameterException"}},
    {ErrorClass::our_bug,
     Fault::bug,
     {"TooManyEntriesInBatchRequest", "EmptyBatchRequest", "BatchEntryIdsNotDistinct",
      "InvalidBatchEntryId", "BatchRequestTooLong", "SerializationException"}},
};

TEST(Retry, a_code_decides_whatever_the_status_and_has_its_exit_status) {
  for (const Expected& row : kTable) {
    for (const char* code : row.codes) {
      for (const int status : {400, 403, 404, 500, 503}) {
        EXPECT_EQ(classify(code, status), row.error) << code << " as " << status;
      }
    }
    EXPECT_EQ(fault_of(row.error), row.fault) << row.codes[0];
  }
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

TEST(Retry, while_others_succeed_a_call_is_given_up_later_and_by_time_alone) {
  const RetryPolicy policy;
  const OtherCalls succeed{.succeed = true};
  EXPECT_TRUE(policy.delay_ms(ErrorClass::throttle, 8, 0, 0.5, {}, succeed));
  EXPECT_TRUE(policy.delay_ms(ErrorClass::transient, 50, 100'000, 0.5, {}, succeed));
  EXPECT_FALSE(policy.delay_ms(ErrorClass::transient, 2, kPatienceMs, 0.5, {}, succeed));
  const RetryPolicy counted{.most_attempts = 3, .budget_ms = {}};
  EXPECT_FALSE(counted.delay_ms(ErrorClass::transient, 3, 0, 0.5, {}, succeed))
      << "AWS_MAX_ATTEMPTS is the user's own word";
}

TEST(Retry, a_low_budget_slows_retries_and_denies_none) {
  const RetryPolicy policy;
  const OtherCalls fail{.budget_is_low = true};
  EXPECT_EQ(policy.delay_ms(ErrorClass::transient, 1, 0, 0.5, {}, fail), 10'000);
  EXPECT_EQ(policy.delay_ms(ErrorClass::throttle, 1, 0, 0.5, {}, fail), 10'000);
  EXPECT_FALSE(policy.delay_ms(ErrorClass::transient, 8, 0, 0.5, {}, fail));
}

TEST(Retry, the_budget_pays_for_some_retries_and_gets_them_back_by_success) {
  RetryBudget budget;
  int retries = 0;
  while (!budget.is_low(ErrorClass::transient)) {
    EXPECT_EQ(budget.take(ErrorClass::transient), 14);
    ++retries;
  }
  EXPECT_EQ(retries, 500 / 14);
  EXPECT_EQ(budget.take(ErrorClass::transient), 0);
  EXPECT_EQ(budget.take(ErrorClass::throttle), 5) << "10 are left";
  budget.succeeded(28);
  EXPECT_EQ(budget.take(ErrorClass::transient), 14);
  EXPECT_EQ(budget.take(ErrorClass::transient), 14);
  EXPECT_EQ(budget.take(ErrorClass::throttle), 5);
  EXPECT_EQ(budget.take(ErrorClass::throttle), 0);
  for (int i = 0; i < 5; ++i) budget.succeeded(0);
  EXPECT_EQ(budget.take(ErrorClass::throttle), 5) << "each other success gives one";
}

TEST(Retry, the_budget_never_holds_more_than_it_began_with) {
  RetryBudget budget;
  for (int i = 0; i < 1000; ++i) budget.succeeded(14);
  int taken = 0;
  while (!budget.is_low(ErrorClass::throttle)) taken += budget.take(ErrorClass::throttle);
  EXPECT_EQ(taken, 500);
}

/// Forty calls at a time for a minute, against a service that fails by chance or entirely.
struct Minute {
  int calls = 0;
  int given_up = 0;
  std::int64_t attempts = 0;
};
Minute minute_of(ErrorClass error, double failing, std::uint64_t seed) {
  struct Slot {
    std::int64_t next_ms = 0;
    std::int64_t began_ms = 0;
    std::int64_t successes = 0;
    int attempts = 0;
    int taken = 0;
  };
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> chance(0, 1);
  const RetryPolicy policy;
  RetryBudget budget;
  Minute minute;
  std::int64_t successes = 0;
  std::vector<Slot> slots(40);
  for (std::int64_t at = 0; at < 60'000; at += 20) {  // an answer takes 20 ms
    for (Slot& slot : slots) {
      if (slot.next_ms > at) continue;
      if (slot.attempts == 0) slot = {at, at, successes, 0, 0};
      ++slot.attempts;
      ++minute.attempts;
      if (chance(random) >= failing) {
        budget.succeeded(slot.taken);
        ++successes;
        ++minute.calls;
        slot.attempts = 0;
        continue;
      }
      const OtherCalls others{.succeed = successes > slot.successes,
                              .budget_is_low = budget.is_low(error)};
      const auto delay =
          policy.delay_ms(error, slot.attempts, at - slot.began_ms, chance(random), {}, others);
      if (!delay) {
        ++minute.given_up;
        slot.attempts = 0;
        continue;
      }
      slot.taken += budget.take(error);
      slot.next_ms = at + *delay;
    }
  }
  return minute;
}

TEST(Retry, a_minute_of_throttling_or_of_lost_answers_fails_no_call) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  for (const auto& [error, failing] :
       {std::pair{ErrorClass::throttle, 0.3}, std::pair{ErrorClass::transient, 1.0 / 3}}) {
    const Minute minute = minute_of(error, failing, seed);
    EXPECT_EQ(minute.given_up, 0);
    EXPECT_GT(minute.calls, 1000);
  }
}

TEST(Retry, a_service_that_is_away_sees_few_calls) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  const Minute minute = minute_of(ErrorClass::transient, 1, seed);
  EXPECT_LT(minute.attempts, 700) << "without a budget 40 calls are eight attempts in 3 s each";
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
