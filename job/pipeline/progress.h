// SPDX-License-Identifier: Apache-2.0
// One live line on a terminal, a log line every 10 s elsewhere.
#pragma once

#include "job/pipeline/drain.h"

namespace sluice {

class Progress {
 public:
  explicit Progress(Now start) : start_(start), told_ms_(start.steady_ms) {}

  void look(const Drain& drain, Now now);
  /// Removes the live line.
  void end();

 private:
  Now start_;
  std::int64_t told_ms_;
};

}  // namespace sluice
