// SPDX-License-Identifier: Apache-2.0
// A window under way, with what of it is in memory only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "job/pipeline/deletes.h"

namespace sluice {

struct HeldWindow {
  Window window;         // as it is on disk
  bool carried = false;  // an earlier run left it
  std::vector<std::string>
      handles;  // newest receipt by position; while open, the unstaged stand last
  std::vector<std::uint32_t>
      receive_counts;  // of the deliveries that `handles` are from; while open
  std::unordered_map<std::string, std::uint32_t> positions;  // by message id, while open
  std::vector<std::uint32_t> groups;  // by position, numbered from 0; FIFO only
  std::unordered_map<std::string, std::uint32_t> group_numbers;  // by MessageGroupId, while open
  std::optional<Deletes> deletes;                                // while loaded
  bool forwarded = false;  // while loaded: nothing stands between its messages and their deletion
  std::int64_t opened_ms = 0;  // steady clock, of one not carried
  std::int64_t last_ms = 0;    // when it last took messages, likewise
  std::int64_t newest_sent_ms = 0;
  // Of what the warehouse does with it, load or forward.
  std::int64_t failing_since_ms = 0;
  std::int64_t retry_ms = 0;
  int failures = 0;
};

}  // namespace sluice
