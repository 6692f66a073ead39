// SPDX-License-Identifier: Apache-2.0
// The seam to the database: one window, one transaction.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "job/base/failure.h"

namespace sluice {

/// As the transaction counted them; loaded + duplicate + rejected = messages of the window.
struct LoadCounts {
  std::uint64_t loaded = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t rejected = 0;
  std::uint64_t refused = 0;  // of `rejected`: by Postgres, in this transaction
  std::vector<std::uint64_t>
      rows;  // by table of the pipeline; empty when the commit was learned by id
};

/// The window is known to be committed, on the synchronous standby too if there is one.
struct Loaded {
  LoadCounts counts;
  bool learned = false;  // an earlier transaction had committed it; these are its counts
  /// Positions, as staged and ascending, of messages that stay in the queue: with
  /// `"rejections": "leave"` those that were rejected or refused and, on a FIFO queue, what comes
  /// after them in their groups, unless the ledger holds it. Counted as rejected.
  std::vector<std::uint32_t> left = {};
};
/// Its id is committed with other contents: the window needs a new id.
struct OtherContents {};
/// `only_if_committed`, and it is not.
struct NotCommitted {};
/// Nothing is known to be committed. `again`: call `load` again, now or in a later run; it settles
/// what happened.
struct LoadFailed {
  Failure failure;
  bool again = true;
};
using LoadResult = std::variant<Loaded, OtherContents, NotCommitted, LoadFailed>;

/// Every rejection of the window is with the dead-letter queue, as the table says (`forwarded_at`).
struct Forwarded {
  std::uint64_t messages = 0;  // of them, by this call
};
/// Some are not. `again`: forwarding the window again, now or in a later run, sends the rest.
struct ForwardFailed {
  Failure failure;
  bool again = true;
};
using ForwardResult = std::variant<Forwarded, ForwardFailed>;

class Warehouse {
 public:
  virtual ~Warehouse() = default;

  /// Loads the window in one transaction that begins by inserting its id (ARCHITECTURE.md).
  /// Blocks; may be called again with the same window any number of times. Throws nothing that a
  /// database can cause.
  virtual LoadResult load(const SealedWindow& window, bool only_if_committed) = 0;
  /// Forwards what of a loaded window was rejected and not forwarded yet, by whichever worker, to
  /// the dead-letter queue, at least once. Its messages may be deleted only afterwards. Blocks and
  /// throws like `load`.
  virtual ForwardResult forward(const SealedWindow& window) = 0;
  /// Ends a `load` or `forward` that waits, soon, as failed for now; later ones fail at once. From
  /// any thread.
  virtual void interrupt() = 0;
};

}  // namespace sluice
