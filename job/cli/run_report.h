// SPDX-License-Identifier: Apache-2.0
// What a run tells of itself, kept while it runs and told once, whichever way it ends. The summary
// on standard output and in its file, the row of sluice.run, the metrics, what is announced to
// others and the log's last line are all made from the one Summary.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "job/announce/announcements.h"
#include "job/base/environment.h"
#include "job/cli/metrics_files.h"
#include "job/config/options.h"
#include "job/config/pipeline.h"
#include "job/pipeline/summary.h"
#include "job/warehouse/connection.h"

namespace sluice {

/// A second signal may end the run, and so this report, from a thread of its own at any time: each
/// function may be called while another is.
class RunReport {
 public:
  using Requests = sluice::Requests;

  /// The run begins now. `source`: "queue" or "archive". `requests` is asked at the end for the SQS
  /// calls by operation.
  RunReport(const Settings& settings, const Environment& environment, std::string_view source,
            std::function<Requests()> requests);

  const RunFacts& facts() const { return summary_.facts; }

  void name_pipeline(const Pipeline& pipeline);
  void checkpoint_set_aside(const std::string& what);
  /// Writes the row of sluice.run that the end completes, over another connection to `conninfo`,
  /// and announces that `inputs` are read.
  void record_start(Connection& connection, const std::string& conninfo,
                    std::vector<Dataset> inputs);

  /// How it ended: one of these three, or more; a signal outweighs a failure, a failure the rest.
  void conclude_dry_run(const std::optional<QueueCounts>& counts);
  void conclude(const Drain& heart, int signal);
  void fail(const Failure& failure);
  void interrupt(int signal);

  /// Tells it all, the first time it is called. Returns the exit status.
  int tell();

 private:
  void settle_status();
  void log_end() const;
  void write_unless_refused(const std::string& option, const std::string& content) const;

  const Settings& settings_;
  const MetricsFiles metrics_files_;
  const Announcements announcements_;
  std::function<Requests()> requests_;
  std::mutex mutex_;
  bool told_ = false;
  int signal_ = 0;
  std::optional<std::string> recorded_;  // conninfo, once sluice.run has our row
  Lineage lineage_;
  Summary summary_;
};

}  // namespace sluice
