// SPDX-License-Identifier: Apache-2.0
// The deletes of one loaded window: which are left, which failed for now, and when they are tried
// again.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "job/queue/queue.h"

namespace sluice {

class Deletes {
 public:
  /// `positions` of the window that are still to be deleted, ascending. On a FIFO queue `groups`
  /// numbers each position's group, and no message is deleted while an earlier one of its group is
  /// under way in another call or failed; elsewhere it is empty.
  explicit Deletes(std::vector<std::uint32_t> positions, std::vector<std::uint32_t> groups = {});

  /// Up to ten to delete now; empty when there is nothing, or not yet.
  std::vector<std::uint32_t> take(std::int64_t now_ms);
  struct Outcome {
    std::uint64_t deleted = 0;
    std::uint64_t failed_for_good = 0;  // the sender's fault: they come back and are duplicates
    /// Of those: behind one in its group, never asked for, and to be given back.
    std::vector<std::uint32_t> released = {};
  };
  Outcome answered(const std::vector<std::uint32_t>& positions,
                   const std::vector<EntryResult>& results, std::int64_t now_ms);
  /// The whole call failed, after the client's own retries; later batches are tried all the same.
  void call_failed(const std::vector<std::uint32_t>& positions, bool for_good, std::int64_t now_ms);

  bool done() const { return left() == 0; }
  /// Nothing under way and nothing that would be tried again.
  bool at_rest() const { return flying_ == 0 && (given_up_ || left() == 0); }
  bool given_up() const { return given_up_; }
  bool under_way() const { return flying_ > 0; }
  /// When failed ones are tried again; far away when none wait.
  std::int64_t retry_ms() const;
  std::uint64_t left() const { return waiting_.size() + failed_.size() + flying_; }
  bool is_left(std::uint32_t position) const { return position < left_.size() && left_[position]; }
  /// Those of `left`, for the next run. Only when nothing is under way.
  std::vector<std::uint32_t> leftover() const;

 private:
  void settle(std::int64_t now_ms);
  /// Nothing is under way, and what waits, waits behind what failed.
  bool is_stuck() const;
  bool is_behind(std::uint32_t position) const;
  std::vector<std::uint32_t> release_behind(std::uint32_t position);

  std::deque<std::uint32_t> waiting_;  // ascending
  std::vector<std::uint32_t> failed_;
  std::vector<std::uint32_t> groups_;          // by position; FIFO only
  std::map<std::uint32_t, std::size_t> busy_;  // by group: under way or failed; FIFO only
  std::vector<bool> left_;                     // by position
  std::uint64_t flying_ = 0;
  int rounds_ = 0;
  std::int64_t retry_ms_ = 0;
  bool given_up_ = false;
};

}  // namespace sluice
