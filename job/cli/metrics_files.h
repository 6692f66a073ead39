// SPDX-License-Identifier: Apache-2.0
// The files for node_exporter's textfile collector: that of the last run (--metrics-file) and that
// of the last success (--success-file, or beside it), which a run that fails leaves alone.
#pragma once

#include "job/config/options.h"
#include "job/pipeline/summary.h"

namespace sluice {

/// What cannot be written is only told: a run does not fail over it. A dry run writes nothing.
class MetricsFiles {
 public:
  explicit MetricsFiles(const Settings& settings);

  /// The metrics of the run before, with this one's start. For whoever holds the checkpoint.
  void begun(const RunFacts& facts) const;
  /// Unless it found its checkpoint held: the files are then those of the run that holds it.
  void ended(const Summary& summary) const;

 private:
  std::string last_run_;  // paths; empty: not wanted
  std::string last_success_;
};

}  // namespace sluice
