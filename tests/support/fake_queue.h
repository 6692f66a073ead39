// SPDX-License-Identifier: Apache-2.0
// A queue in memory, for tests of the heart: SQS's rules, those of the sandbox, without a network,
// a thread or a clock. Time stands still until `wait` has nothing to answer, or `advance`.
#pragma once

#include <atomic>
#include <functional>
#include <optional>

#include "job/queue/queue.h"
#include "tests/support/sandbox_faults.h"
#include "tests/support/sandbox_queue.h"

namespace sluice {

class FakeQueue : public Queue {
 public:
  FakeQueue(QueueRules rules, Now start, std::uint64_t seed = 1,
            SandboxQueue* dead_letters = nullptr);

  SandboxQueue& state() { return state_; }
  /// Like those of the sandbox, but without what is of HTTP and without `when`. Errors and lost
  /// answers are tried again, as a client does, up to eight times; AccessDenied is final.
  SandboxFaults& faults() { return faults_; }
  Now time() const { return time_; }
  void advance(std::int64_t ms);

  void receive(Ticket ticket, int most, int wait_s, int visibility_s) override;
  void remove(Ticket ticket, const std::vector<std::string>& handles) override;
  void hide(Ticket ticket, const std::vector<std::string>& handles, int visibility_s) override;
  void count(Ticket ticket) override;
  void stop_receiving() override { stopped_ = true; }
  void wait(std::int64_t at_most_ms, std::vector<QueueAnswer>& answers) override;
  void wake() override { woken_ = true; }
  void abandon() override;
  Requests requests() const override { return requests_; }

 private:
  struct Poll {
    Ticket ticket;
    int most;
    int visibility_s;
    bool is_short;
    std::int64_t deadline_ms;  // steady
  };
  /// What a call does when it reaches the queue; nothing = it still waits for a message.
  using Effect = std::function<std::optional<QueueAnswer>(const SandboxFault&)>;

  /// False when it still waits.
  bool call(const std::string& operation, const boost::json::object& request, Ticket ticket,
            const Effect& effect);
  std::optional<QueueAnswer> poll(const Poll& poll, const SandboxFault& fault);
  void batch(const std::string& operation, Ticket ticket, const std::vector<std::string>& handles,
             const std::function<void(const std::string& handle)>& act);
  std::int64_t next_event_ms() const;
  void look_again();

  SandboxQueue state_;
  SandboxFaults faults_;
  SeededRandom random_;
  Now time_;
  std::vector<Poll> polls_;
  std::vector<QueueAnswer> answers_;
  Requests requests_;
  bool stopped_ = false;  // receives nothing more
  std::atomic<bool> woken_{false};
};

}  // namespace sluice
