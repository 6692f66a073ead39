// SPDX-License-Identifier: Apache-2.0
// The queue that the workers of a history share: SQS's rules are those of the sandbox; between it
// and the workers calls and answers take their time, get lost and fail.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "job/pipeline/orders.h"
#include "tests/simulation/faults.h"
#include "tests/simulation/oracle.h"
#include "tests/simulation/timeline.h"
#include "tests/support/sandbox_queue.h"

namespace sluice::simulation {

/// Brings an answer. False: nobody is there any more to take it.
using Reply = std::function<bool(Event)>;

class SharedQueue {
 public:
  SharedQueue(Timeline& timeline, Faults& faults, Oracle& oracle, SandboxQueue& state,
              std::int64_t wall_ms, std::uint64_t seed);

  void receive(const ReceiveOrder& order, int run, Reply reply);
  void remove(const RemoveOrder& order, Reply reply);
  void hide(const HideOrder& order, Reply reply);
  void count(const CountOrder& order, Reply reply);

  Now now() const { return {timeline_.now_ms(), wall_ms_ + timeline_.now_ms()}; }
  SandboxQueue& state() { return state_; }
  /// By now, and what is hidden.
  std::vector<std::size_t> hidden();

 private:
  void poll(ReceiveOrder order, int run, std::int64_t deadline_ms, Reply reply);
  /// One entry after the other through `act`; the answer, or its loss, on its way back.
  void batch(Ticket ticket, const std::vector<std::string>& handles, Reply reply,
             std::function<void(const std::string& handle)> act);
  void answer(Event event, Reply reply);
  void excuse(const std::vector<std::string>& handles);
  std::int64_t latency();

  Timeline& timeline_;
  Faults& faults_;
  Oracle& oracle_;
  SandboxQueue& state_;
  std::int64_t wall_ms_;
  SeededRandom random_;
};

}  // namespace sluice::simulation
