// SPDX-License-Identifier: Apache-2.0
// From settings to the parts of a run: pipeline, keyring, queue, database, checkpoint.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "job/base/environment.h"
#include "job/config/options.h"
#include "job/config/pipeline.h"
#include "job/queue/sqs_queue.h"

namespace sluice {

/// Failure{usage} when --pipeline is not given.
Pipeline pipeline_of(const Settings& settings);

/// Flag, SLUICE_WORKER, JOB_COMPLETION_INDEX, host name. Names a file: [A-Za-z0-9._-], at most 64,
/// else Failure{usage}.
std::string worker_of(const Settings& settings);

/// Behind the worker's name in that of a backfill's checkpoint, which is one of its own.
inline constexpr const char* kBackfillSuffix = "-backfill";

/// Where the checkpoint lies: --checkpoint, absolute; else <state>/<pipeline>-<worker>.db, where
/// <state> is $STATE_DIRECTORY, /var/lib/sluice for root, or $XDG_STATE_HOME/sluice
/// (~/.local/state/sluice). The default folder is made (0700); any other must exist.
/// Failure{configuration} says what is wrong with it.
std::string checkpoint_path_of(const Settings& settings, const Environment& environment,
                               const std::string& pipeline, const std::string& worker);

/// Failure{temporary} when the disk has no room for two windows, Failure{configuration} when it is
/// a network file system or read-only.
void check_disk(const std::string& checkpoint_path, std::uint64_t window_bytes);
/// What a run needs on the disk: one window is staged while another waits to be loaded.
std::uint64_t disk_needed(std::uint64_t window_bytes);

struct QueueAccess {
  std::unique_ptr<SqsQueue> queue;
  SqsAccess sqs;  // the queue's, for others in its region
  std::string credentials_origin;
  std::vector<std::string> credentials_passed_over;  // places before it, which are not set up
  std::string endpoint;
  std::string region;
};
/// Nothing is sent yet. Failure{rights} without credentials, Failure{configuration} without queue
/// or region.
QueueAccess queue_of(const Settings& settings, const Environment& environment,
                     const Pipeline& pipeline);

}  // namespace sluice
