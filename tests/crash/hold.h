// SPDX-License-Identifier: Apache-2.0
// Makes a run of a CrashWorld stand still in one of its phases, from outside: a call of the queue
// that waits at a gate, a lock in Postgres, syncs that take long.
#pragma once

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "tests/crash/crash_world.h"

namespace sluice {

enum class Phase {
  checking_queue,
  checking_postgres,
  recording_start,
  idle,     // in a long poll that finds nothing
  in_hand,  // every message is received, and hardly staged
  staging,  // inside the transaction of the checkpoint; the run needs Hold::before
  open,     // every message is staged, the window waits for more
  loading,
  committing,
  forwarding,       // before the dead-letter queue has it
  forwarded,        // it has it, and nobody was told
  deleting,         // the first delete is done, and nobody was told
  between_deletes,  // two of three are done, the other is not
  deleted,          // every delete is done, and of the last nobody was told
  recording_end,
};

const char* name_of(Phase phase);
void PrintTo(Phase phase, std::ostream* out);

/// Where a run that is in `phase` has its window.
WindowState state_in(Phase phase);

/// Whether a transaction of SQLite is under way in this rollback journal, or was when it ended.
bool is_hot(const std::string& journal);

/// Lets runs go on when destroyed.
class Hold {
 public:
  /// What is in the queue now is what the run is expected to take: one window, and of 21 to 30
  /// messages where deletes are counted. It needs --receivers 1, or it seals before it has all.
  Hold(CrashWorld& world, Phase phase);
  ~Hold();
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

  /// The command that must run the program.
  std::vector<std::string> before() const;
  /// Whether a run stands there now. Asked again and again.
  bool is_reached();
  void let_go();

 private:
  void hold_call(const std::string& operation, int call, SandboxFault fault);
  void hold_with(const std::string& sql, const std::string& activity);
  bool is_staged() const;
  bool is_waited_for();
  bool lock_the_record();

  CrashWorld& world_;
  Phase phase_;
  std::shared_ptr<SandboxGate> gate_ = std::make_shared<SandboxGate>();
  std::unique_ptr<TestSession> locker_;
  std::string activity_;  // of the backend that waits for us
  QueueTally at_start_;
  std::int64_t last_opened_ms_ = 0;  // of the windows that were there
  std::uint64_t receives_;
};

/// A run that is killed there. Fails the test unless it leaves one window, in the state of the
/// phase.
void kill_in(CrashWorld& world, Phase phase);

}  // namespace sluice
