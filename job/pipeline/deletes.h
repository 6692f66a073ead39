// SPDX-License-Identifier: Apache-2.0
// The deletes of one loaded window: which are left, which failed for now, and when they are tried
// again.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "job/queue/queue.h"

namespace sluice {

class Deletes {
 public:
  /// `positions` of the window that are still to be deleted.
  explicit Deletes(std::vector<std::uint32_t> positions);

  /// Up to ten to delete now; empty when there is nothing, or not yet.
  std::vector<std::uint32_t> take(std::int64_t now_ms);
  struct Outcome {
    std::uint64_t deleted = 0;
    std::uint64_t failed_for_good = 0;  // the sender's fault: they come back and are duplicates
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
  /// Those of `left`, for the next run. Only when nothing is under way.
  std::vector<std::uint32_t> leftover() const;

 private:
  void settle(std::int64_t now_ms);

  std::deque<std::uint32_t> waiting_;
  std::vector<std::uint32_t> failed_;
  std::uint64_t flying_ = 0;
  int rounds_ = 0;
  std::int64_t retry_ms_ = 0;
  bool given_up_ = false;
};

}  // namespace sluice
