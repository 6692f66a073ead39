// SPDX-License-Identifier: Apache-2.0
#include "job/pipeline/calls.h"

#include <algorithm>
#include <limits>

namespace sluice {

Ticket Calls::add(Call call) {
  asked_ += static_cast<std::uint64_t>(call.most);
  calls_[static_cast<std::size_t>(call.kind)].emplace(++last_, std::move(call));
  return last_;
}

std::optional<Call> Calls::take(Ticket ticket) {
  for (ByTicket& calls : calls_) {
    auto found = calls.extract(ticket);
    if (found.empty()) continue;
    asked_ -= static_cast<std::uint64_t>(found.mapped().most);
    return std::move(found.mapped());
  }
  return std::nullopt;
}

bool Calls::none() const { return std::ranges::all_of(calls_, &ByTicket::empty); }

std::int64_t Calls::oldest_ms(Call::Kind kind) const {
  return of(kind).empty() ? std::numeric_limits<std::int64_t>::max()
                          : of(kind).begin()->second.asked_ms;
}

}  // namespace sluice
