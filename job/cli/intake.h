// SPDX-License-Identifier: Apache-2.0
// Where a run takes its messages from: the queue, or archive files. Everything else of it is the
// same.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "job/cli/preflight.h"
#include "job/cli/run_report.h"
#include "job/pipeline/limits.h"
#include "job/queue/queue.h"
#include "job/warehouse/forward.h"

namespace sluice {

class Intake {
 public:
  virtual ~Intake() = default;

  /// The word for it in the summary.
  virtual std::string_view name() const = 0;
  /// Whether the checks before a run are to look at the queue.
  virtual bool is_queue() const = 0;
  /// What a checkpoint belongs to, once the checks are over.
  virtual std::string identity(const Prepared& made) const = 0;
  /// What it reads, as a catalogue of data calls it.
  virtual std::vector<Dataset> datasets(const Prepared& made) const = 0;
  /// Once the checkpoint is held: makes ready what is read.
  virtual void open(Prepared& made, Now started) = 0;
  virtual Queue& queue() = 0;
  /// What of the limits it decides.
  virtual void bound(Limits& limits, const Prepared& made) const = 0;
  /// Where rejections go on to, when the pipeline says so; it lives as long as this.
  virtual Forwarding forwarding(Prepared& made) = 0;
  /// Messages there; -1 when that is not known.
  virtual std::int64_t visible(const Prepared& made) const = 0;
  /// What `--dry-run` finds, beside the checks.
  virtual void dry_run(Prepared& made, RunReport& report) = 0;
  /// Over: with the run's end, as it will be told.
  virtual void end(const Drain& heart) = 0;
  /// Calls of SQS by operation, so far. From any thread, at any time.
  virtual RunReport::Requests requests(const Prepared& made) const = 0;
};

}  // namespace sluice
