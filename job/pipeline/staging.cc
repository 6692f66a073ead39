// SPDX-License-Identifier: Apache-2.0
#include "job/pipeline/staging.h"

#include <algorithm>
#include <limits>

namespace sluice {
namespace {
constexpr std::size_t kMessages = 1000;
constexpr std::int64_t kAfterMs = 500;

std::uint32_t number_of(const std::string& group, HeldWindow& open) {
  const auto next = static_cast<std::uint32_t>(open.group_numbers.size());
  return open.group_numbers.emplace(group, next).first->second;
}

}  // namespace

bool Staging::accept(const Message& message, HeldWindow& open, std::int64_t now_ms) {
  const auto position = static_cast<std::uint32_t>(open.handles.size());
  const auto [known, is_new] = open.positions.emplace(message.id, position);
  if (is_new) {
    if (batch_.empty()) since_ms_ = now_ms;
    masker_.stage(message, batch_);
    open.handles.push_back(message.receipt);
    open.receive_counts.push_back(message.receive_count);
    if (fifo_) open.groups.push_back(number_of(message.group, open));
    fresh_.push_back({position, message.receipt});
    return true;
  }
  // Answers overtake each other: the count tells which delivery is the later one.
  if (message.receive_count < open.receive_counts[known->second]) return false;
  open.receive_counts[known->second] = message.receive_count;
  open.handles[known->second] = message.receipt;
  if (known->second < open.window.messages) {
    renewed_.push_back({known->second, message.receipt});
  } else {
    fresh_[known->second - open.window.messages].handle = message.receipt;
  }
  return false;
}

bool Staging::is_undecided(const Message& message, const HeldWindow& open) const {
  const auto known = open.positions.find(message.id);
  return !fifo_ && known != open.positions.end() &&
         open.receive_counts[known->second] == message.receive_count &&
         open.handles[known->second] != message.receipt;
}

std::int64_t Staging::due_ms() const {
  if (batch_.empty()) return std::numeric_limits<std::int64_t>::max();
  return batch_.messages() >= kMessages ? since_ms_ : since_ms_ + kAfterMs;
}

void Staging::flush(HeldWindow& open) {
  if (batch_.empty() && renewed_.empty()) return;
  checkpoint_.stage(open.window.number, batch_, fresh_, renewed_);
  open.window.messages += batch_.messages();
  open.window.bytes += batch_.bytes().size();
  clear();
}

std::vector<std::string> Staging::discard(HeldWindow& open) {
  const auto first = open.handles.begin() + static_cast<std::ptrdiff_t>(open.window.messages);
  std::vector<std::string> unstaged(first, open.handles.end());
  open.handles.erase(first, open.handles.end());
  open.receive_counts.resize(open.handles.size());
  open.groups.resize(std::min(open.groups.size(), open.handles.size()));
  std::erase_if(open.positions,
                [&open](const auto& each) { return each.second >= open.window.messages; });
  clear();
  return unstaged;
}

std::uint32_t Staging::highest_receive_count(const HeldWindow& open) const {
  const auto first =
      open.receive_counts.begin() + static_cast<std::ptrdiff_t>(open.window.messages);
  return first == open.receive_counts.end() ? 0
                                            : *std::max_element(first, open.receive_counts.end());
}

void Staging::clear() {
  batch_.clear();
  fresh_.clear();
  renewed_.clear();
}

}  // namespace sluice
