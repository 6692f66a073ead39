// SPDX-License-Identifier: Apache-2.0
#include "job/pipeline/calls.h"

#include <algorithm>
#include <limits>

namespace sluice {

Ticket Calls::add(Call call) {
  asked_ += static_cast<std::uint64_t>(call.most);
  const auto kind = static_cast<std::size_t>(call.kind);
  if (calls_[kind].empty()) began_ms_[kind] = call.asked_ms;
  calls_[kind].emplace(++last_, std::move(call));
  return last_;
}

std::optional<Call> Calls::take(Ticket ticket, std::int64_t now_ms) {
  for (std::size_t kind = 0; kind < calls_.size(); ++kind) {
    auto found = calls_[kind].extract(ticket);
    if (found.empty()) continue;
    if (calls_[kind].empty()) busy_ms_[kind] += now_ms - began_ms_[kind];
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

std::int64_t Calls::busy_ms(Call::Kind kind, std::int64_t now_ms) const {
  const auto at = static_cast<std::size_t>(kind);
  return busy_ms_[at] + (calls_[at].empty() ? 0 : now_ms - began_ms_[at]);
}

}  // namespace sluice
