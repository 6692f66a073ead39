// SPDX-License-Identifier: Apache-2.0
// A window under way, with what of it is in memory only.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "checkpoint/checkpoint.h"
#include "job/pipeline/deletes.h"

namespace sluice {

/// By 64 of its bits, which are random: those of a UUID's second half, or of a digest.
struct IdHash {
  std::size_t operator()(const MessageId& id) const noexcept {
    std::uint64_t hash = 0;
    std::memcpy(&hash, id.data() + sizeof(hash), sizeof(hash));
    return hash;
  }
};

struct HeldWindow {
  Window window;         // as it is on disk
  bool carried = false;  // an earlier run left it
  std::vector<std::string>
      handles;  // newest receipt by position; while open, the unstaged stand last
  std::vector<std::uint32_t>
      receive_counts;  // of the deliveries that `handles` are from; while open
  boost::unordered_flat_map<MessageId, std::uint32_t, IdHash> positions;  // while open
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
