// SPDX-License-Identifier: Apache-2.0
// When messages in hand must be hidden again, so that nobody else receives them while a window is
// under way.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

namespace sluice {

/// Messages of one receive in one window: positions [first, first + count).
struct Lease {
  std::int64_t window = 0;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  std::int64_t received_ms = 0;  // steady clock
  std::int64_t due_ms =
      0;  // half of the visibility timeout after the receive or the last extension
};

class Leases {
 public:
  explicit Leases(int visibility_s) : visibility_ms_(visibility_s * 1000LL) {}

  void add(std::int64_t window, std::uint32_t first, std::uint32_t count,
           std::int64_t received_ms) {
    queue_.push_back({window, first, count, received_ms, received_ms + visibility_ms_ / 2});
  }
  /// The next one that is due, taken out; `renew` it, or it is forgotten.
  std::optional<Lease> take_due(std::int64_t now_ms);
  /// For how many seconds its messages are to be hidden from now. Less than usual for the last
  /// time, and then 0: SQS hides a message for at most 12 h from its receive and refuses more.
  int renew(Lease lease, std::int64_t now_ms);
  /// The window is closed. Once it is pruned, another one may have its number.
  void forget(std::int64_t window);
  /// When the next one is due; far away when there is none.
  std::int64_t next_due_ms() const;

 private:
  // All leases last equally long, so the order of arrival is the order of being due.
  std::deque<Lease> queue_;
  std::int64_t visibility_ms_;
};

}  // namespace sluice
