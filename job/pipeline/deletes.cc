// SPDX-License-Identifier: Apache-2.0
#include "job/pipeline/deletes.h"

#include <algorithm>
#include <limits>

#include "job/base/failure.h"
#include "job/pipeline/limits.h"

namespace sluice {
namespace {
constexpr int kRounds = 5;
constexpr std::int64_t kFirstPauseMs = 200;  // doubled each round: 6 s in all
}  // namespace

Deletes::Deletes(std::vector<std::uint32_t> positions)
    : waiting_(positions.begin(), positions.end()) {}

std::vector<std::uint32_t> Deletes::take(std::int64_t now_ms) {
  if (given_up_) return {};
  if (waiting_.empty() && flying_ == 0 && now_ms >= retry_ms_) {
    waiting_.assign(failed_.begin(), failed_.end());
    failed_.clear();
  }
  const std::size_t count = std::min<std::size_t>(kBatch, waiting_.size());
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<std::uint32_t> batch(waiting_.begin(), end);
  waiting_.erase(waiting_.begin(), end);
  flying_ += batch.size();
  return batch;
}

Deletes::Outcome Deletes::answered(const std::vector<std::uint32_t>& positions,
                                   const std::vector<EntryResult>& results, std::int64_t now_ms) {
  require(positions.size() == results.size(), "a delete was answered for other entries than asked");
  Outcome outcome;
  flying_ -= positions.size();
  for (std::size_t i = 0; i < positions.size(); ++i) {
    if (results[i].done) {
      ++outcome.deleted;
    } else if (results[i].sender_fault) {
      ++outcome.failed_for_good;
    } else {
      failed_.push_back(positions[i]);
    }
  }
  settle(now_ms);
  return outcome;
}

void Deletes::call_failed(const std::vector<std::uint32_t>& positions, bool for_good,
                          std::int64_t now_ms) {
  flying_ -= positions.size();
  failed_.insert(failed_.end(), positions.begin(), positions.end());
  // The client has tried often already: one more round, no more.
  rounds_ = std::max(rounds_, kRounds - 2);
  if (for_good) given_up_ = true;
  settle(now_ms);
}

void Deletes::settle(std::int64_t now_ms) {
  if (!waiting_.empty() || flying_ > 0 || failed_.empty()) return;
  ++rounds_;
  if (rounds_ >= kRounds) given_up_ = true;
  retry_ms_ = now_ms + (kFirstPauseMs << rounds_);
}

std::int64_t Deletes::retry_ms() const {
  const bool waits = !given_up_ && waiting_.empty() && flying_ == 0 && !failed_.empty();
  return waits ? retry_ms_ : std::numeric_limits<std::int64_t>::max();
}

std::vector<std::uint32_t> Deletes::leftover() const {
  std::vector<std::uint32_t> positions(waiting_.begin(), waiting_.end());
  positions.insert(positions.end(), failed_.begin(), failed_.end());
  std::sort(positions.begin(), positions.end());
  return positions;
}

}  // namespace sluice
