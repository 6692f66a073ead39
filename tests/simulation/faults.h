// SPDX-License-Identifier: Apache-2.0
// What goes wrong in a history, and when. Each kind is drawn from a stream of its own, so that a
// history without one kind of fault is otherwise as alike as can be: that is what shrinking needs.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/seeded_random.h"

namespace sluice::simulation {

enum class Fault : std::uint8_t {
  kill,               // the process ends between two orders
  kill_at_write,      // ... as it writes to its checkpoint; with the power, or alone
  stop,               // SIGTERM
  deliver_again,      // a message in flight is given to somebody else too
  undelete,           // ... a deleted one
  lapse,              // every lease ends now
  lose_call,          // a call never reaches the queue
  lose_answer,        // it does, and nobody learns so
  fail_entries,       // some entries of a batch fail for now
  refuse_entries,     // ... by the sender's fault
  slow_answer,        // the queue takes seconds
  cut,                // the connection to the database ends before COMMIT was sent
  cut_in_commit,      // ... after: the commit stands, or not, and it shows later
  database_away,      // an error of the database that passes
  slow_load,          // longer than a lease
  disk_full,          // for some seconds
  lose_checkpoint,    // between two runs
  damage_checkpoint,  // a bit, a cut, zeros
  older_checkpoint,   // an earlier state of the file is put back
  jump_clock,         // the wall clock of a worker, by minutes or days, either way
};
inline constexpr std::size_t kFaults = static_cast<std::size_t>(Fault::jump_clock) + 1;

std::string_view name_of(Fault fault);

/// Which faults a history may have. Its text is what a person types to see a history again.
struct Plan {
  std::uint64_t seed = 1;
  int messages = 0;  // 0: as the seed says; likewise workers
  int workers = 0;
  int most_faults = -1;     // -1: as the seed says
  std::set<Fault> without;  // kinds
  std::set<int> spared;     // the nth that would strike, from 1, does not

  std::string text() const;
  /// Throws std::invalid_argument.
  static Plan parse(std::string_view text);
};

class Faults {
 public:
  explicit Faults(const Plan& plan);

  /// Whether this chance for a fault becomes one.
  bool strikes(Fault fault);
  /// For what a fault does: how long, how many.
  SeededRandom& details(Fault fault) { return streams_[static_cast<std::size_t>(fault)]; }
  /// No fault from now on.
  void end() { ended_ = true; }

  int struck() const { return struck_; }
  /// Kinds that struck, in their order, for the report.
  const std::vector<Fault>& story() const { return story_; }

 private:
  const Plan& plan_;
  std::array<SeededRandom, kFaults> streams_;
  std::array<double, kFaults> chances_{};
  int most_ = 0;
  int would_ = 0;
  int struck_ = 0;
  bool ended_ = false;
  std::vector<Fault> story_;
};

}  // namespace sluice::simulation
