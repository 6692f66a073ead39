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

Deletes::Deletes(std::vector<std::uint32_t> positions, std::vector<std::uint32_t> groups)
    : waiting_(positions.begin(), positions.end()),
      groups_(std::move(groups)),
      left_(positions.empty() ? 0 : positions.back() + std::size_t{1}) {
  for (const std::uint32_t position : positions) left_[position] = true;
}

std::vector<std::uint32_t> Deletes::take(std::int64_t now_ms) {
  if (given_up_) return {};
  if (!failed_.empty() && now_ms >= retry_ms_ && is_stuck()) {
    waiting_.insert(waiting_.end(), failed_.begin(), failed_.end());
    std::sort(waiting_.begin(), waiting_.end());
    failed_.clear();
    busy_.clear();
  }
  std::vector<std::uint32_t> batch;
  for (auto at = waiting_.begin(); at != waiting_.end() && batch.size() < kBatch;) {
    if (is_behind(*at)) {
      ++at;
    } else {
      batch.push_back(*at);
      at = waiting_.erase(at);
    }
  }
  if (!groups_.empty()) {
    for (const std::uint32_t position : batch) ++busy_[groups_[position]];
  }
  flying_ += batch.size();
  return batch;
}

Deletes::Outcome Deletes::answered(const std::vector<std::uint32_t>& positions,
                                   const std::vector<EntryResult>& results, std::int64_t now_ms) {
  require(positions.size() == results.size(), "a delete was answered for other entries than asked");
  Outcome outcome;
  flying_ -= positions.size();
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const std::uint32_t position = positions[i];
    if (!results[i].done && !results[i].sender_fault) {
      failed_.push_back(position);
      continue;
    }
    left_[position] = false;
    if (!groups_.empty()) --busy_[groups_[position]];
    if (results[i].done) {
      ++outcome.deleted;
    } else {
      const std::vector<std::uint32_t> behind = release_behind(position);
      outcome.failed_for_good += 1 + behind.size();
      outcome.released.insert(outcome.released.end(), behind.begin(), behind.end());
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
  if (failed_.empty() || !is_stuck()) return;
  ++rounds_;
  if (rounds_ >= kRounds) given_up_ = true;
  retry_ms_ = now_ms + (kFirstPauseMs << rounds_);
}

bool Deletes::is_stuck() const {
  return flying_ == 0 && std::all_of(waiting_.begin(), waiting_.end(),
                                     [this](std::uint32_t each) { return is_behind(each); });
}

bool Deletes::is_behind(std::uint32_t position) const {
  if (groups_.empty()) return false;
  const auto busy = busy_.find(groups_[position]);
  return busy != busy_.end() && busy->second > 0;
}

/// On a FIFO queue the message comes back first, and then those behind it.
std::vector<std::uint32_t> Deletes::release_behind(std::uint32_t position) {
  std::vector<std::uint32_t> behind;
  if (groups_.empty()) return behind;
  std::erase_if(waiting_, [&](std::uint32_t each) {
    if (each < position || groups_[each] != groups_[position]) return false;
    behind.push_back(each);
    left_[each] = false;
    return true;
  });
  return behind;
}

std::int64_t Deletes::retry_ms() const {
  const bool waits = !given_up_ && !failed_.empty() && is_stuck();
  return waits ? retry_ms_ : std::numeric_limits<std::int64_t>::max();
}

std::vector<std::uint32_t> Deletes::leftover() const {
  std::vector<std::uint32_t> positions(waiting_.begin(), waiting_.end());
  positions.insert(positions.end(), failed_.begin(), failed_.end());
  std::sort(positions.begin(), positions.end());
  return positions;
}

}  // namespace sluice
