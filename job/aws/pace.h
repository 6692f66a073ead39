// SPDX-License-Identifier: Apache-2.0
// How many calls of one kind may be under way at once: fewer while the service throttles.
#pragma once

#include <cstdint>

namespace sluice {

/// Halved by throttling; one more after as many successes as the limit, up to what it began with.
/// Pure: whoever sends the calls tells it of them.
class Pace {
 public:
  explicit Pace(int most) : most_(most), limit_(most) {}

  bool has_room() const { return under_way_ < limit_; }
  int limit() const { return limit_; }

  /// A call was sent. Its round is to be handed back with its answer.
  std::uint64_t sent();
  void succeeded();
  /// Only the first of a round slows down: the others were sent before the service had said so.
  void throttled(std::uint64_t round);
  /// Answered in a way that says nothing about the pace.
  void ended();
  /// None is under way any more.
  void forget() { under_way_ = 0; }

 private:
  int most_;
  int limit_;
  int under_way_ = 0;
  int successes_ = 0;  // towards the next step up
  std::uint64_t round_ = 0;
};

}  // namespace sluice
