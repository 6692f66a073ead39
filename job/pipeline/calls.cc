// SPDX-License-Identifier: Apache-2.0
#include "job/pipeline/calls.h"

#include <algorithm>
#include <limits>

namespace sluice {

Ticket Calls::add(Call call) {
  asked_ += static_cast<std::uint64_t>(call.most);
  calls_.emplace(++last_, std::move(call));
  return last_;
}

std::optional<Call> Calls::take(Ticket ticket) {
  auto found = calls_.extract(ticket);
  if (found.empty()) return std::nullopt;
  asked_ -= static_cast<std::uint64_t>(found.mapped().most);
  return std::move(found.mapped());
}

std::size_t Calls::under_way(Call::Kind kind) const {
  return static_cast<std::size_t>(std::count_if(
      calls_.begin(), calls_.end(), [kind](const auto& each) { return each.second.kind == kind; }));
}

std::int64_t Calls::oldest_ms(Call::Kind kind) const {
  // Tickets count upwards, so the first of its kind is the oldest.
  const auto oldest = std::find_if(calls_.begin(), calls_.end(),
                                   [kind](const auto& each) { return each.second.kind == kind; });
  return oldest == calls_.end() ? std::numeric_limits<std::int64_t>::max()
                                : oldest->second.asked_ms;
}

}  // namespace sluice
