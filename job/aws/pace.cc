// SPDX-License-Identifier: Apache-2.0
#include "job/aws/pace.h"

#include <algorithm>

namespace sluice {

std::uint64_t Pace::sent() {
  ++under_way_;
  return round_;
}

void Pace::succeeded() {
  ended();
  if (limit_ == most_ || ++successes_ < limit_) return;
  ++limit_;
  successes_ = 0;
}

void Pace::throttled(std::uint64_t round) {
  if (round == round_) {
    // Of what was under way, because a limit that was not reached says nothing.
    limit_ = std::max(1, std::min(limit_, under_way_) / 2);
    successes_ = 0;
    ++round_;
  }
  ended();
}

void Pace::ended() { --under_way_; }

}  // namespace sluice
