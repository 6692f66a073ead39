// SPDX-License-Identifier: Apache-2.0
// Calls to SQS, many at once on one thread: signed, sent at a pace that SQS bears, and sent again
// as their errors deserve.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "job/aws/live_signer.h"
#include "job/aws/pace.h"
#include "job/http/http.h"
#include "job/queue/sqs_access.h"
#include "job/queue/sqs_call.h"
#include "job/queue/sqs_failure.h"

namespace sluice {

/// Each operation has a pace of its own, as it has a quota of its own at SQS: a delete never waits
/// for receives. Unless AWS_MAX_ATTEMPTS says otherwise, no attempt begins after kPatienceMs.
class SqsClient {
 public:
  /// `queue` is how failures name it.
  SqsClient(SqsAccess access, std::string queue);

  void start(SqsCall call);
  /// Waits until a call is settled, `at_most_ms` passed or `wake` was called, which it tells by
  /// returning true.
  bool wait(std::int64_t at_most_ms, std::vector<SqsOutcome>& outcomes);
  /// From any thread.
  void wake() { http_.wake(); }
  /// Nothing of this operation is sent any more, not even another attempt: what waits to be sent,
  /// or would be sent again, fails instead.
  void close(Operation operation);
  void abandon();

  bool is_idle() const { return sent_.empty() && resting_.empty() && renewing_.empty(); }
  std::int64_t clock_offset_ms() const { return signer_.clock_offset_ms(); }
  Requests requests() const;

 private:
  struct Attempt {
    SqsCall call;
    std::uint64_t order = 0;      // of its call among all
    std::int64_t began_ms = 0;    // the call, on the steady clock
    std::uint64_t successes = 0;  // of its lane by then
    std::uint64_t round = 0;      // of its lane's pace
    int number = 0;
    int retries_cost = 0;  // taken from the budget
    bool clock_corrected = false;
    bool credentials_renewed = false;
    LiveSigner::Basis basis = {};
  };
  /// All calls of one operation.
  struct Lane {
    Pace pace;
    std::map<std::uint64_t, Attempt> waiting = {};  // for their turn, by order
    Traffic traffic = {};
    bool closed = false;
  };
  using Outcomes = std::vector<SqsOutcome>;

  Lane& lane_of(const Attempt& attempt);
  void enqueue(Attempt attempt);
  void send(Attempt attempt);
  void advance(Lane& lane, Outcomes& outcomes);
  void settle(HttpAnswer answer, Outcomes& outcomes);
  void settle_refused(Attempt attempt, const HttpAnswer& answer, Outcomes& outcomes);
  std::optional<std::int64_t> pause_before_retry(const Attempt& attempt, ErrorClass error,
                                                 const HttpAnswer& answer);
  void look_at_renewals(Outcomes& outcomes);
  void fail_unsent(Outcomes& outcomes);

  SqsAccess access_;  // without the credentials, which the signer holds
  std::string queue_;
  LiveSigner signer_;
  Http http_;
  RetryBudget budget_;
  std::vector<Lane> lanes_;  // by operation
  std::uint64_t last_order_ = 0;
  std::uint64_t last_ticket_ = 0;
  std::map<std::uint64_t, Attempt> sent_;
  std::multimap<std::int64_t, Attempt> resting_;  // by when they go on, on the steady clock
  /// Until there are other credentials than those refused.
  std::vector<std::pair<Attempt, RefusedCall>> renewing_;
  std::mt19937_64 random_;
};

}  // namespace sluice
