// SPDX-License-Identifier: Apache-2.0
#include "job/pipeline/staging.h"

#include <algorithm>
#include <limits>

#include "job/base/clock.h"

namespace sluice {
namespace {
// A commit costs four fsyncs, and was measured to cost a message a third when it holds 10,000
// instead of 1,000. But what is not staged is given back when a run is stopped, in seconds.
constexpr std::size_t kMessages = 5'000;
constexpr std::size_t kBytes = 4 << 20;
constexpr std::int64_t kAfterMs = 500;

std::uint32_t number_of(const std::string& group, HeldWindow& open) {
  const auto next = static_cast<std::uint32_t>(open.group_numbers.size());
  return open.group_numbers.emplace(group, next).first->second;
}

}  // namespace

Staging::Accepted Staging::accept(Message& message, HeldWindow& open, std::int64_t now_ms) {
  const auto position = static_cast<std::uint32_t>(open.handles.size());
  const auto [known, is_new] = open.positions.emplace(message_id(message.id), position);
  if (is_new) {
    if (batch_.empty()) since_ms_ = now_ms;
    masker_.stage(message, batch_);
    fresh_.push_back({position, message.receipt});
    open.handles.push_back(std::move(message.receipt));
    open.receive_counts.push_back(message.receive_count);
    if (fifo_) open.groups.push_back(number_of(message.group, open));
    return Accepted::fresh;
  }
  // Answers overtake each other: the count tells which delivery is the later one.
  std::uint32_t& count = open.receive_counts[known->second];
  std::string& handle = open.handles[known->second];
  if (!fifo_ && message.receive_count == count && message.receipt != handle) {
    return Accepted::undecided;
  }
  if (message.receive_count < count) return Accepted::again;
  count = message.receive_count;
  handle = std::move(message.receipt);
  if (known->second < open.window.messages) {
    renewed_.push_back({known->second, handle});
  } else {
    fresh_[known->second - open.window.messages].handle = handle;
  }
  return Accepted::again;
}

std::int64_t Staging::due_ms() const {
  if (batch_.empty()) return std::numeric_limits<std::int64_t>::max();
  const bool is_large = batch_.messages() >= kMessages || batch_.bytes().size() >= kBytes;
  return is_large ? since_ms_ : since_ms_ + kAfterMs;
}

void Staging::flush(HeldWindow& open) {
  if (batch_.empty() && renewed_.empty()) return;
  const std::int64_t began_ns = steady_ns();
  checkpoint_.stage(open.window.number, batch_, fresh_, renewed_);
  commit_ns_ += steady_ns() - began_ns;
  open.window.messages += batch_.messages();
  open.window.bytes += batch_.bytes().size();
  clear();
}

void Staging::seal(HeldWindow& open, const WindowId& id) {
  const std::int64_t began_ns = steady_ns();
  open.window = checkpoint_.stage_and_seal(open.window.number, batch_, fresh_, renewed_, id);
  commit_ns_ += steady_ns() - began_ns;
  clear();
}

std::vector<std::string> Staging::discard(HeldWindow& open) {
  const auto first = open.handles.begin() + static_cast<std::ptrdiff_t>(open.window.messages);
  std::vector<std::string> unstaged(first, open.handles.end());
  open.handles.erase(first, open.handles.end());
  open.receive_counts.resize(open.handles.size());
  open.groups.resize(std::min(open.groups.size(), open.handles.size()));
  boost::unordered::erase_if(
      open.positions, [&open](const auto& each) { return each.second >= open.window.messages; });
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
