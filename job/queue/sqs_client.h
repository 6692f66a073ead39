// SPDX-License-Identifier: Apache-2.0
// Calls to SQS, many at once on one thread: signed, sent, and sent again as their errors deserve.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "job/aws/credentials.h"
#include "job/aws/endpoint.h"
#include "job/aws/http.h"
#include "job/aws/retry.h"
#include "job/aws/sigv4.h"
#include "job/queue/sqs_wire.h"

namespace sluice {

/// How SQS is reached, and as whom.
struct SqsAccess {
  Endpoint endpoint;
  Credentials credentials;
  RetryPolicy retry;
  std::string ca_bundle;   // empty: the system's
  std::string user_agent;  // "sluice/0.1.0"
};

struct SqsCall {
  Operation operation = Operation::receive_message;
  std::string body;
  /// Of the caller, who gets them back.
  std::optional<Ticket> ticket = {};
  std::size_t entries = 0;
  std::int64_t timeout_ms = 10'000;
};

struct SqsOutcome {
  SqsCall call;
  std::string body;                // of a call that succeeded
  std::optional<Failure> failure;  // of one that did not, with SQS's code for it
  std::string code;
};

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
  void abandon();

  bool is_idle() const { return sent_.empty() && resting_.empty(); }
  const std::map<std::string, std::uint64_t>& requests() const { return requests_; }

 private:
  struct Attempt {
    SqsCall call;
    std::int64_t began_ms = 0;   // the first of its call, on the steady clock
    std::int64_t offset_ms = 0;  // what its signature assumed our wall clock to be behind
    int number = 0;
    bool clock_corrected = false;
  };

  void send(Attempt attempt);
  void settle(const HttpAnswer& answer, std::vector<SqsOutcome>& outcomes);
  bool corrects_clock(Attempt& attempt, const HttpAnswer& answer);

  SqsAccess access_;  // without the credentials, which the signer holds
  std::string queue_;
  Signer signer_;
  Http http_;
  std::int64_t offset_ms_ = 0;
  std::uint64_t last_ticket_ = 0;
  std::map<std::uint64_t, Attempt> sent_;
  std::multimap<std::int64_t, Attempt>
      resting_;  // by when they are sent again, on the steady clock
  std::map<std::string, std::uint64_t> requests_;
  std::mt19937_64 random_;
};

}  // namespace sluice
