// SPDX-License-Identifier: Apache-2.0
// Where the time of a message goes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "job/base/clock.h"

namespace sluice {

/// One message in kEvery is timed and stands for all: for each of them the clock would be read
/// seven times, which is more than a hundredth of what a message takes.
class Timing {
 public:
  static constexpr std::uint64_t kEvery = 7;
  enum Part : std::size_t { decode, validate, mask, kParts };

  void begin() {
    timed_ = messages_++ % kEvery == 0;
    if (timed_) since_ns_ = steady_ns();
  }
  /// What passed since the last time went into `part`.
  void passed(Part part) {
    if (!timed_) return;
    const std::int64_t now_ns = steady_ns();
    spent_ns_[part] += now_ns - since_ns_;
    since_ns_ = now_ns;
  }
  /// Of all messages.
  std::int64_t spent_ns(Part part) const {
    const std::uint64_t timed = (messages_ + kEvery - 1) / kEvery;
    if (timed == 0) return 0;
    const double each = static_cast<double>(spent_ns_[part]) / static_cast<double>(timed);
    return static_cast<std::int64_t>(each * static_cast<double>(messages_));
  }

 private:
  std::uint64_t messages_ = 0;
  bool timed_ = false;
  std::int64_t since_ns_ = 0;
  std::array<std::int64_t, kParts> spent_ns_{};
};

}  // namespace sluice
