// SPDX-License-Identifier: Apache-2.0
// How much to ask of the queue, and when it counts as drained. Pure decisions; the heart carries
// the tickets.
#pragma once

#include <algorithm>
#include <cstdint>

#include "job/pipeline/limits.h"

namespace sluice {

class Receiving {
 public:
  explicit Receiving(const Limits& limits) : limits_(limits) {}

  /// Receives that may be in flight now. Starts small, doubles while answers are at least half
  /// full, falls to one when an answer is empty; and never more than fit the byte budget if all
  /// were as large as the largest so far.
  int parallel() const;
  /// Seconds for the next poll.
  int poll_s() const;

  /// An answer that was not empty; `bytes` of bodies.
  void answered(std::size_t asked, std::size_t got, std::uint64_t bytes);
  /// An empty answer to a poll of `waited_s` that began at `asked_ms`. Of polls that ran side by
  /// side one counts: the others began before the answer that counted came.
  void empty(int waited_s, std::int64_t asked_ms, std::int64_t now_ms);
  /// An answer with nothing in it that the run is for: counts as a whole empty poll.
  void past(std::int64_t asked_ms, std::int64_t now_ms) { empty(limits_.wait_s, asked_ms, now_ms); }
  /// The same on a FIFO queue while messages are held, behind which others may stand: what is held
  /// is finished before anything more is asked for.
  void finish_first() { finishes_first_ = true; }
  void idle() { finishes_first_ = false; }

  /// Long polls in a row came back empty for long enough.
  bool looks_drained() const { return empty_s_ >= limits_.wait_s * limits_.empty_polls; }
  bool saw_end() const { return empty_s_ > 0 || finishes_first_; }
  bool finishes_first() const { return finishes_first_; }
  /// The queue's own counter disagrees: poll a few more times.
  bool doubt();

 private:
  const Limits& limits_;
  int parallel_ = 8;
  int empty_s_ = 0;
  std::int64_t last_empty_ms_ = -1;
  std::uint64_t largest_answer_ = 1;
  int doubts_left_ = 2;
  bool finishes_first_ = false;
};

}  // namespace sluice
