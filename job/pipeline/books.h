// SPDX-License-Identifier: Apache-2.0
// The accounts of one run (promise G8).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "job/warehouse/warehouse.h"

namespace sluice {

struct Books {
  std::uint64_t received = 0;    // deliveries
  std::uint64_t carried_in = 0;  // messages in windows not yet known to be committed, at the start
  std::uint64_t loaded = 0;
  std::uint64_t duplicate = 0;  // deliveries of what is in the ledger or already in a window
  std::uint64_t rejected = 0;
  std::uint64_t returned = 0;     // given back to the queue, unstaged
  std::uint64_t carried_out = 0;  // messages in windows not yet known to be committed, at the end
  std::uint64_t deleted = 0;
  std::uint64_t delete_failed = 0;  // by the sender's fault: the message comes back as a duplicate
  std::uint64_t forwarded = 0;      // rejections sent to the dead-letter queue
  std::uint64_t windows = 0;        // learned to be committed
  std::vector<std::uint64_t> rows;  // by table of the pipeline
  std::int64_t oldest_age_ms = -1;  // of the messages received, when received; -1: none
  std::int64_t watermark_ms = -1;   // latest SentTimestamp among windows learned; -1: none

  explicit Books(std::size_t tables) : rows(tables) {}

  /// A window's commit became known.
  void learn(const LoadCounts& counts);
  /// Everything that came is somewhere. False is a bug that fails the run.
  bool add_up() const;
  bool nothing_done() const { return received == 0 && carried_in == 0 && deleted == 0; }
};

/// A count of messages: what summary, report, metrics and log tell is made from this table.
struct Count {
  std::string_view name;
  std::uint64_t Books::*value;
  bool always;             // the report tells it even when it is 0
  std::string_view about;  // in the report
};
inline constexpr std::array kCounts = {
    Count{"received", &Books::received, true, "deliveries"},
    Count{"carried_in", &Books::carried_in, false, "from an earlier run"},
    Count{"loaded", &Books::loaded, true, "messages whose rows are committed"},
    Count{"duplicate", &Books::duplicate, true, "known already, not loaded again"},
    Count{"rejected", &Books::rejected, true, "each with its reason"},
    Count{"returned", &Books::returned, false, "given back to the queue"},
    Count{"carried_out", &Books::carried_out, false, "kept for the next run"},
    Count{"deleted", &Books::deleted, true, "from the queue"},
    Count{"delete_failed", &Books::delete_failed, false,
          "they come back and are dropped as duplicates"},
    Count{"forwarded", &Books::forwarded, false, "to the dead-letter queue"},
};

}  // namespace sluice
