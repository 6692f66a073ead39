// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/fifo.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace sluice {
namespace {

/// A decimal number too long for an integer.
std::pair<std::size_t, std::string_view> order_of(const StagedMessage* message) {
  return {message->sequence.size(), message->sequence};
}

}  // namespace

void sort_by_sequence(Messages& messages) {
  if (!std::ranges::is_sorted(messages, {}, order_of)) {
    std::ranges::stable_sort(messages, {}, order_of);
  }
}

Messages take_left(Messages& messages, const std::set<const StagedMessage*>& stopped) {
  if (stopped.empty()) return {};
  std::map<std::string_view, const StagedMessage*> first;  // that is stopped, by group
  for (const StagedMessage* message : messages) {
    if (message->sequence.empty() || !stopped.contains(message)) continue;
    const StagedMessage*& earliest = first.emplace(message->group, message).first->second;
    if (order_of(message) < order_of(earliest)) earliest = message;
  }
  const auto goes_on = [&](const StagedMessage* message) {
    if (stopped.contains(message)) return false;
    const auto found = first.find(message->group);
    return found == first.end() || order_of(message) < order_of(found->second);
  };
  const auto left = std::stable_partition(messages.begin(), messages.end(), goes_on);
  Messages taken(left, messages.end());
  messages.erase(left, messages.end());
  return taken;
}

}  // namespace sluice
