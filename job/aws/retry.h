// SPDX-License-Identifier: Apache-2.0
// What an AWS error means, and how long to wait before the call is made again.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "job/aws/profile.h"
#include "job/base/environment.h"
#include "job/base/failure.h"

namespace sluice {

enum class ErrorClass {
  throttle,       // slow down
  transient,      // again, soon
  back_pressure,  // nothing more until messages are deleted
  clock,          // the signature; once more if our clock is wrong
  credentials,    // refused as such: expired or unknown
  fatal_rights,
  fatal_configuration,
  our_bug,
};

/// By code, because AWS has served throttling as 403; by status only where the code is unknown or
/// empty. Status 0 is a call without an answer.
ErrorClass classify(std::string_view code, int status);

/// What a run that cannot go on for such an error says of itself.
Fault fault_of(ErrorClass error);

struct RetryPolicy {
  int most_attempts = 8;  // the first included
  /// No new attempt begins later than this after the first; without it only attempts count.
  std::optional<std::int64_t> budget_ms = 60'000;

  /// The wait before the next attempt, or nothing when `error` deserves none or they are used up.
  /// `attempts` were made, in `elapsed_ms`; `random` is within [0, 1); `asked_ms` is what the
  /// server wished (x-amz-retry-after).
  std::optional<std::int64_t> delay_ms(ErrorClass error, int attempts, std::int64_t elapsed_ms,
                                       double random, std::optional<std::int64_t> asked_ms) const;
};

/// With AWS_MAX_ATTEMPTS, or max_attempts of the profile, as total attempts; Failure{usage} when it
/// is no such number.
RetryPolicy find_retry_policy(const Environment& environment, const Profile& profile);

}  // namespace sluice
