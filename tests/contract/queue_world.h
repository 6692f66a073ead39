// SPDX-License-Identifier: Apache-2.0
// The queues that keep the contract, each with a hand on what is behind it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "job/queue/queue.h"
#include "tests/support/sandbox_faults.h"
#include "tests/support/sandbox_queue.h"

namespace sluice {

class QueueWorld {
 public:
  virtual ~QueueWorld() = default;
  virtual Queue& queue() = 0;
  virtual void send(std::vector<NewMessage> messages) = 0;
  /// Messages that are not deleted, seen or hidden.
  virtual std::int64_t left() = 0;
  /// Long enough for a test to get by, short enough to be waited for where time is real.
  virtual int lease_s() const = 0;
  /// Passes the time until everything taken for `lease_s` is visible again.
  virtual void let_leases_end() = 0;
  /// What a strict server would have refused.
  virtual std::vector<std::string> problems() const { return {}; }
};

/// Where we write the rules, make the faults and turn the clock.
class SimulatedWorld : public QueueWorld {
 public:
  virtual SandboxFaults& faults() = 0;
  virtual void with_state(const std::function<void(SandboxQueue&, Now)>& use) = 0;
  virtual void advance_s(int seconds) = 0;

  void send(std::vector<NewMessage> messages) override;
  std::int64_t left() override;
  int lease_s() const override { return 20; }
  void let_leases_end() override { advance_s(lease_s()); }
};

/// The fake of the heart's tests.
std::unique_ptr<SimulatedWorld> make_fake(const QueueRules& rules);
/// The real client against our sandbox.
std::unique_ptr<SimulatedWorld> make_sandbox(const QueueRules& rules);
/// The real client against a server by others, "elasticmq" or "moto"; null when it is not there.
std::unique_ptr<QueueWorld> make_foreign(const std::string& server, const QueueRules& rules);

}  // namespace sluice
