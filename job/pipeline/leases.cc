// SPDX-License-Identifier: Apache-2.0
#include "job/pipeline/leases.h"

#include <limits>

namespace sluice {
namespace {
// SQS's 12 h, less the time that the answer to the receive may have taken.
constexpr std::int64_t kLongestHiddenMs = 12LL * 3'600'000 - 60'000;
}  // namespace

std::optional<Lease> Leases::take_due(std::int64_t now_ms) {
  if (queue_.empty() || queue_.front().due_ms > now_ms) return std::nullopt;
  const Lease lease = queue_.front();
  queue_.pop_front();
  return lease;
}

int Leases::renew(Lease lease, std::int64_t now_ms) {
  const std::int64_t most_ms = lease.received_ms + kLongestHiddenMs - now_ms;
  if (most_ms < visibility_ms_) {
    // Half of the lease is left, and not worth a call for less.
    return most_ms > visibility_ms_ / 2 ? static_cast<int>(most_ms / 1000) : 0;
  }
  lease.due_ms = now_ms + visibility_ms_ / 2;
  queue_.push_back(lease);
  return static_cast<int>(visibility_ms_ / 1000);
}

void Leases::forget(std::int64_t window) {
  std::erase_if(queue_, [window](const Lease& lease) { return lease.window == window; });
}

std::int64_t Leases::next_due_ms() const {
  return queue_.empty() ? std::numeric_limits<std::int64_t>::max() : queue_.front().due_ms;
}

}  // namespace sluice
