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

/// What the other calls to the service say about one that failed.
struct OtherCalls {
  bool succeed = false;        // one of its kind did, since it was first made
  bool budget_is_low = false;  // RetryBudget: too many of them fail
};

struct RetryPolicy {
  int most_attempts = 8;  // the first included
  /// No new attempt begins later than this after the first; without it only attempts count.
  std::optional<std::int64_t> budget_ms = 60'000;

  /// The wait before the next attempt, or nothing when `error` deserves none or they are used up.
  /// `attempts` were made, in `elapsed_ms`; `random` is within [0, 1); `asked_ms` is what the
  /// server wished (x-amz-retry-after).
  ///
  /// These limits find out that a service is away. While other calls succeed it is not: then, with
  /// a budget of time, a call goes on for kPatienceMs, however many attempts that takes. Among many
  /// thousand calls some are throttled eight times in a row, and they must not end the run.
  std::optional<std::int64_t> delay_ms(ErrorClass error, int attempts, std::int64_t elapsed_ms,
                                       double random, std::optional<std::int64_t> asked_ms,
                                       OtherCalls others = {}) const;
};

inline constexpr std::int64_t kPatienceMs = 120'000;

/// What all calls together may spend on retries: the SDKs' token bucket. It holds 500; a retry
/// takes 14, after throttling 5; a call that succeeds gives back what its retries took, or 1.
///
/// SDKs make no retry that it cannot pay. Here such a retry waits for as long as the last would (up
/// to 20 s), and the call ends by its own limits alone: in an outage the service soon sees few
/// calls, and a run that loses every third answer is slow at worst.
class RetryBudget {
 public:
  bool is_low(ErrorClass error) const { return left_ < price_of(error); }
  /// For one retry; what was taken, which is nothing when it is low.
  int take(ErrorClass error);
  /// A call succeeded, for whose retries so much was taken.
  void succeeded(int taken);

 private:
  static constexpr int kMost = 500;
  static int price_of(ErrorClass error);

  int left_ = kMost;
};

/// With AWS_MAX_ATTEMPTS, or max_attempts of the profile, as total attempts; Failure{usage} when it
/// is no such number.
RetryPolicy find_retry_policy(const Environment& environment, const Profile& profile);

}  // namespace sluice
