// SPDX-License-Identifier: Apache-2.0
// One live line on a terminal, a log line every 10 s elsewhere.
#pragma once

#include "job/pipeline/drain.h"

namespace sluice {

class Progress {
 public:
  /// `visible`: messages in the queue at the start; -1 when that is not known.
  Progress(Now start, std::int64_t visible)
      : visible_(visible), told_ms_(start.steady_ms), rated_ms_(start.steady_ms) {}

  void look(const Drain& drain, Now now);
  /// Removes the live line.
  void end();

 private:
  std::int64_t visible_;  // when nothing had been received, as far as is known
  std::int64_t counted_ = -1;
  std::int64_t told_ms_;
  std::int64_t rated_ms_;
  std::uint64_t rated_received_ = 0;
  std::int64_t per_second_ = 0;
};

}  // namespace sluice
