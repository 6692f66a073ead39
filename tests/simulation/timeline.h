// SPDX-License-Identifier: Apache-2.0
// Simulated time: what is to happen, in its order. One thread, no clock.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace sluice::simulation {

class Timeline {
 public:
  /// Milliseconds since the history began.
  std::int64_t now_ms() const { return now_ms_; }
  /// Things due at the same moment happen in the order they were asked for.
  void after(std::int64_t ms, std::function<void()> what) {
    happenings_.push({now_ms_ + ms, ++asked_, std::move(what)});
  }
  bool empty() const { return happenings_.empty(); }
  /// When the next thing happens. Only when there is one.
  std::int64_t next_ms() const { return happenings_.top().at_ms; }
  /// Lets the next thing happen.
  void step() {
    // The top is const only so that nobody breaks the order; it is popped at once.
    auto& top = const_cast<Happening&>(happenings_.top());
    now_ms_ = top.at_ms;
    const std::function<void()> what = std::move(top.what);
    happenings_.pop();
    what();
  }
  /// Nothing happens meanwhile: only when nothing is due before.
  void pass(std::int64_t ms) { now_ms_ += ms; }

 private:
  struct Happening {
    std::int64_t at_ms;
    std::uint64_t asked;
    std::function<void()> what;
    bool operator<(const Happening& other) const {
      return std::pair(at_ms, asked) > std::pair(other.at_ms, other.asked);
    }
  };
  std::priority_queue<Happening> happenings_;
  std::int64_t now_ms_ = 0;
  std::uint64_t asked_ = 0;
};

}  // namespace sluice::simulation
