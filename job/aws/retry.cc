// SPDX-License-Identifier: Apache-2.0
#include "job/aws/retry.h"

#include <algorithm>
#include <array>
#include <string>

#include "job/base/text.h"

namespace sluice {
namespace {

struct Row {
  std::string_view code;
  ErrorClass error;
};

constexpr std::array kCodes = {
    Row{"RequestThrottled", ErrorClass::throttle},
    Row{"RequestThrottledException", ErrorClass::throttle},
    Row{"Throttling", ErrorClass::throttle},
    Row{"ThrottlingException", ErrorClass::throttle},
    Row{"ThrottledException", ErrorClass::throttle},
    Row{"TooManyRequestsException", ErrorClass::throttle},
    Row{"RequestLimitExceeded", ErrorClass::throttle},
    Row{"BandwidthLimitExceeded", ErrorClass::throttle},
    Row{"LimitExceededException", ErrorClass::throttle},
    Row{"SlowDown", ErrorClass::throttle},
    Row{"PriorRequestNotComplete", ErrorClass::throttle},
    Row{"KmsThrottled", ErrorClass::throttle},
    Row{"KMS.ThrottlingException", ErrorClass::throttle},

    Row{"RequestTimeout", ErrorClass::transient},
    Row{"RequestTimeoutException", ErrorClass::transient},
    Row{"InternalFailure", ErrorClass::transient},
    Row{"InternalError", ErrorClass::transient},
    Row{"ServiceUnavailable", ErrorClass::transient},
    Row{"IDPCommunicationError", ErrorClass::transient},

    Row{"OverLimit", ErrorClass::back_pressure},

    Row{"RequestTimeTooSkewed", ErrorClass::clock},
    Row{"RequestExpired", ErrorClass::clock},
    Row{"RequestInTheFuture", ErrorClass::clock},
    Row{"InvalidSignatureException", ErrorClass::clock},
    Row{"SignatureDoesNotMatch", ErrorClass::clock},
    Row{"AuthFailure", ErrorClass::clock},

    Row{"ExpiredToken", ErrorClass::credentials},
    Row{"ExpiredTokenException", ErrorClass::credentials},
    Row{"InvalidClientTokenId", ErrorClass::credentials},
    Row{"UnrecognizedClientException", ErrorClass::credentials},

    Row{"AccessDenied", ErrorClass::fatal_rights},
    Row{"AccessDeniedException", ErrorClass::fatal_rights},
    Row{"InvalidSecurity", ErrorClass::fatal_rights},
    Row{"MissingAuthenticationToken", ErrorClass::fatal_rights},
    Row{"IncompleteSignature", ErrorClass::fatal_rights},  // a blank or a slash in the access key
    Row{"KmsAccessDenied", ErrorClass::fatal_rights},
    Row{"KmsDisabled", ErrorClass::fatal_rights},
    Row{"KmsInvalidState", ErrorClass::fatal_rights},
    Row{"KmsNotFound", ErrorClass::fatal_rights},
    Row{"KmsOptInRequired", ErrorClass::fatal_rights},
    Row{"KmsInvalidKeyUsage", ErrorClass::fatal_rights},
    Row{"KMS.AccessDeniedException", ErrorClass::fatal_rights},  // as the Query protocol has them
    Row{"KMS.DisabledException", ErrorClass::fatal_rights},
    Row{"KMS.InvalidStateException", ErrorClass::fatal_rights},
    Row{"KMS.NotFoundException", ErrorClass::fatal_rights},
    Row{"KMS.OptInRequired", ErrorClass::fatal_rights},
    Row{"KMS.InvalidKeyUsageException", ErrorClass::fatal_rights},

    Row{"QueueDoesNotExist", ErrorClass::fatal_configuration},
    Row{"UnsupportedOperation", ErrorClass::fatal_configuration},

    Row{"TooManyEntriesInBatchRequest", ErrorClass::our_bug},
    Row{"EmptyBatchRequest", ErrorClass::our_bug},
    Row{"BatchEntryIdsNotDistinct", ErrorClass::our_bug},
    Row{"InvalidBatchEntryId", ErrorClass::our_bug},
    Row{"BatchRequestTooLong", ErrorClass::our_bug},
    Row{"SerializationException", ErrorClass::our_bug},
};

// The SDKs' "standard" mode of 2026.
constexpr double kThrottleBaseMs = 1000;
constexpr double kTransientBaseMs = 50;
constexpr double kMostMs = 20'000;
constexpr std::int64_t kMostAskedMs = 5000;  // beyond our own delay
constexpr int kThrottlePrice = 5;
constexpr int kTransientPrice = 14;

}  // namespace

ErrorClass classify(std::string_view code, int status) {
  const auto row =
      std::find_if(kCodes.begin(), kCodes.end(), [&](const Row& r) { return r.code == code; });
  if (row != kCodes.end()) return row->error;
  // InvalidAddress, InvalidAction, InvalidParameterValue, MissingParameter and their like.
  if (code.starts_with("Invalid") || code.starts_with("Missing")) {
    return ErrorClass::fatal_configuration;
  }
  if (status == 0 || status == 408 || status == 429 || status >= 500) return ErrorClass::transient;
  // Every other refusal has a cause that waiting does not remove. Without a known code a 401 or 403
  // speaks of who asks; a redirect, 400 or 404 of what is asked and where: an endpoint that is not
  // SQS, a proxy.
  const bool of_rights = status == 401 || status == 403 || status == 407;
  return of_rights ? ErrorClass::fatal_rights : ErrorClass::fatal_configuration;
}

Fault fault_of(ErrorClass error) {
  switch (error) {
    case ErrorClass::throttle:
    case ErrorClass::transient:
    case ErrorClass::back_pressure:
      return Fault::temporary;
    case ErrorClass::clock:
    case ErrorClass::credentials:
    case ErrorClass::fatal_rights:
      return Fault::rights;
    case ErrorClass::fatal_configuration:
      return Fault::configuration;
    case ErrorClass::our_bug:
      return Fault::bug;
  }
  return Fault::bug;
}

std::optional<std::int64_t> RetryPolicy::delay_ms(ErrorClass error, int attempts,
                                                  std::int64_t elapsed_ms, double random,
                                                  std::optional<std::int64_t> asked_ms,
                                                  OtherCalls others) const {
  if (error != ErrorClass::throttle && error != ErrorClass::transient) return std::nullopt;
  const bool patient = budget_ms && others.succeed;
  if (!patient && attempts >= most_attempts) return std::nullopt;
  double most = error == ErrorClass::throttle ? kThrottleBaseMs : kTransientBaseMs;
  for (int i = 1; i < attempts && most < kMostMs; ++i) most *= 2;
  if (others.budget_is_low) most = kMostMs;
  auto delay = static_cast<std::int64_t>(random * std::min(most, kMostMs));
  if (asked_ms) delay = std::clamp(*asked_ms, delay, delay + kMostAskedMs);
  const std::optional<std::int64_t> limit = patient ? kPatienceMs : budget_ms;
  if (limit && elapsed_ms + delay > *limit) return std::nullopt;
  return delay;
}

int RetryBudget::price_of(ErrorClass error) {
  return error == ErrorClass::throttle ? kThrottlePrice : kTransientPrice;
}

int RetryBudget::take(ErrorClass error) {
  if (is_low(error)) return 0;
  const int price = price_of(error);
  left_ -= price;
  return price;
}

void RetryBudget::succeeded(int taken) { left_ = std::min(kMost, left_ + std::max(taken, 1)); }

RetryPolicy find_retry_policy(const Environment& environment, const Profile& profile) {
  const std::string variable = environment("AWS_MAX_ATTEMPTS");
  const std::string text = variable.empty() ? profile.setting("max_attempts") : variable;
  if (text.empty()) return {};
  const auto attempts = parse_integer<int>(text);
  if (!attempts || *attempts < 1) {
    const std::string origin =
        variable.empty() ? "max_attempts of profile " + profile.name() : "AWS_MAX_ATTEMPTS";
    throw Failure(Fault::usage, origin + ": '" + printable(text, 40) + "' is no number of attempts",
                  "write a whole number of at least 1");
  }
  return {*attempts, std::nullopt};
}

}  // namespace sluice
