// SPDX-License-Identifier: Apache-2.0
// The bounds of a run. Durations in milliseconds unless the name says otherwise; 0 means none where
// that is allowed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice {

struct Limits {
  std::uint64_t max_messages = 0;
  std::int64_t max_runtime_ms = 0;
  std::uint32_t window_messages = 10'000;
  std::uint64_t window_bytes = 64 << 20;
  std::int64_t window_time_ms = 60'000;
  std::uint64_t in_flight_cap = 20'000;
  int receivers = 32;
  int wait_s = 2;
  int empty_polls = 2;
  int visibility_s = 120;
  /// The run is done once what comes back was sent after this, on the wall clock of the queue.
  std::int64_t sent_before_ms = 0;
  bool fifo = false;
  /// The messages come from archives: that one was sent long ago does not mean that the ledger has
  /// forgotten it.
  bool archive = false;
  /// Of the queue's redrive policy; 0 when it has none. A message received this often and given
  /// back is dead-lettered at the next receive.
  std::uint32_t max_receive_count = 0;
  /// Rejections are forwarded to the dead-letter queue before their window is deleted.
  bool forwards = false;
  std::int64_t dedup_ms = 15LL * 86'400'000;
  /// What to add to the wall clock of this host for that of the queue, which says when a message
  /// was sent.
  std::int64_t clock_offset_ms = 0;
  std::uint64_t keep_closed_bytes = 256 << 20;
  /// The queue's own counters are asked for this often, for progress.
  std::int64_t look_every_ms = 10'000;
};

/// A group of a FIFO queue gives nothing more until what is held of it is deleted: a window that
/// took nothing for this long is complete.
inline constexpr std::int64_t kFifoLingerMs = 100;

/// SQS gives and takes no more messages in one call.
inline constexpr int kBatch = 10;
/// Deletes side by side, in calls of a batch: few at first, one more with each answer, and as many
/// as receives, because each message needs one of either; but not fewer than this: at 10 ms a
/// call, 16 of them held a worker with 32 receives to 14,000 messages/s, 32 let it reach 22,000.
inline constexpr std::size_t kFirstRemoves = 2;
inline constexpr std::size_t kMostRemoves = 32;

/// A long poll is asked for in pieces of at most this, so that a stop never has to abandon one: a
/// message that arrives in an abandoned poll stays hidden for the whole visibility timeout.
inline constexpr int kLongestPollS = 2;

/// SIGTERM to exit: Airflow's supervisor kills after 5 s.
inline constexpr std::int64_t kStopLoadAfterMs = 1'500;
inline constexpr std::int64_t kStopAfterMs = 3'300;
/// After a failure there is no such hurry: deletes of what is loaded go on.
inline constexpr std::int64_t kLeaveAfterFailureMs = 60'000;

}  // namespace sluice
