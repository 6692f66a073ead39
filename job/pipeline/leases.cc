// SPDX-License-Identifier: Apache-2.0
#include "job/pipeline/leases.h"

#include <limits>

namespace sluice {
namespace {
constexpr std::int64_t kLongestHiddenMs = 12LL * 3'600'000;
}

std::optional<Lease> Leases::take_due(std::int64_t now_ms) {
  if (queue_.empty() || queue_.front().due_ms > now_ms) return std::nullopt;
  const Lease lease = queue_.front();
  queue_.pop_front();
  return lease;
}

void Leases::renew(Lease lease, std::int64_t now_ms) {
  if (now_ms + 2 * visibility_ms_ > lease.received_ms + kLongestHiddenMs) return;
  lease.due_ms = now_ms + visibility_ms_ / 2;
  queue_.push_back(lease);
}

std::int64_t Leases::next_due_ms() const {
  return queue_.empty() ? std::numeric_limits<std::int64_t>::max() : queue_.front().due_ms;
}

}  // namespace sluice
