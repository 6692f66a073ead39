// SPDX-License-Identifier: Apache-2.0
#include "job/pipeline/receiving.h"

namespace sluice {

int Receiving::parallel() const {
  const std::uint64_t fit = std::max<std::uint64_t>(1, limits_.window_bytes / 2 / largest_answer_);
  return static_cast<int>(std::min<std::uint64_t>(fit, std::min(parallel_, limits_.receivers)));
}

int Receiving::poll_s() const {
  const int left = limits_.wait_s - empty_s_ % limits_.wait_s;
  return std::min(left, kLongestPollS);
}

void Receiving::answered(std::size_t asked, std::size_t got, std::uint64_t bytes) {
  empty_s_ = 0;
  largest_answer_ = std::max(largest_answer_, bytes);
  // SQS often gives a little less than it could.
  if (2 * got >= asked) parallel_ = std::min(parallel_ * 2, limits_.receivers);
}

void Receiving::empty(int waited_s, std::int64_t asked_ms, std::int64_t now_ms) {
  parallel_ = 1;
  if (asked_ms < last_empty_ms_) return;
  empty_s_ += waited_s;
  last_empty_ms_ = now_ms;
}

bool Receiving::doubt() {
  if (doubts_left_ == 0) return false;
  --doubts_left_;
  empty_s_ = std::max(0, empty_s_ - limits_.wait_s);
  return true;
}

}  // namespace sluice
