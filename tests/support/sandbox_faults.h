// SPDX-License-Identifier: Apache-2.0
// What goes wrong when a test wants it to: a rule says which calls it meets and what happens to
// them.
#pragma once

#include <chrono>
#include <climits>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "tests/support/sandbox_refusal.h"
#include "tests/support/seeded_random.h"

namespace sluice {

/// A place where calls stop. A test waits for one to arrive, does something, and opens it.
class SandboxGate {
 public:
  void stop_here();
  /// False when none came in time.
  bool wait_for_call(std::chrono::milliseconds at_most = std::chrono::seconds(20));
  void open();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool arrived_ = false;
  bool opened_ = false;
};

/// What happens to a call. Several fields may be set; they act in this order.
struct SandboxFault {
  std::chrono::milliseconds delay{0};
  std::shared_ptr<SandboxGate> gate = {};  // before it takes effect
  bool drop_before = false;                // the connection closes, no effect
  int status = 0;                          // an error instead; no effect
  std::string code = {};                   // of the error, or of the entries that fail
  std::optional<int> retry_after_ms = {};  // what the error asks for in x-amz-retry-after
  std::string html = {};                   // a proxy's page instead of the JSON error
  bool empty = false;                      // ReceiveMessage: no messages; no effect
  bool twice = false;                      // ReceiveMessage: what is given is visible again at once
  bool shuffle = false;                    // ReceiveMessage: in another order
  int fail_entries = 0;       // batch: so many, from the first, fail and have no effect ...
  bool sender_fault = false;  // ... for good, by the sender's own fault
  std::shared_ptr<SandboxGate> gate_after = {};  // it took effect; the answer waits
  bool drop_after = false;                       // it took effect; the connection closes unanswered
  std::chrono::milliseconds trickle{0};          // the body comes in pieces, so far apart
};

/// How an entry of a batch fails under `fault`.
SandboxRefusal entry_refusal(const SandboxFault& fault);

struct SandboxFaultRule {
  std::string on = "*";         // operation
  std::vector<int> calls = {};  // which of the calls that match, from 1; empty = each
  double chance = 1;
  bool short_polls = false;  // only receives that do not wait, which see a part of the queue only
  std::function<bool(const boost::json::object& request)> when = {};
  int most = INT_MAX;  // how often at most
  SandboxFault fault = {};
};

/// From any thread.
class SandboxFaults {
 public:
  explicit SandboxFaults(std::uint64_t seed) : random_(seed) {}

  void add(SandboxFaultRule rule);
  /// Forgets the rules and opens their gates.
  void clear();
  /// The fault of the first rule that this call meets, or one that does nothing.
  SandboxFault meet(const std::string& operation, const boost::json::object& request);

 private:
  struct Counted {
    SandboxFaultRule rule;
    int seen = 0;
    int met = 0;
  };
  bool meets(Counted& counted, const std::string& operation, const boost::json::object& request);

  std::mutex mutex_;
  SeededRandom random_;
  std::vector<Counted> rules_;
};

}  // namespace sluice
