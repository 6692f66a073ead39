// SPDX-License-Identifier: Apache-2.0
// OpenLineage: which columns were made of which fields, and which of them are masked, for a
// catalogue of data. https://openlineage.io/spec/2-0-2/OpenLineage.json
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "job/config/pipeline.h"
#include "job/pipeline/summary.h"

namespace sluice {

/// What data is called: https://openlineage.io/docs/spec/naming/
struct Dataset {
  std::string name_space;
  std::string name;
};

/// The specification has no name for SQS: namespace "arn:aws:sqs:REGION:ACCOUNT", the queue's name.
Dataset queue_dataset(std::string_view arn);
/// Namespace "file", the absolute path.
Dataset file_dataset(const std::string& path);
/// Namespace "postgres://HOST:PORT"; a socket is of this host. The name is still the database's
/// alone: a table's follows it.
Dataset postgres_dataset(const std::string& host, const std::string& port,
                         const std::string& database);

/// What a run reads and writes.
struct Lineage {
  std::vector<Dataset> inputs;
  Dataset database;
  std::vector<Table> tables;
};

/// The run that started ours.
struct ParentRun {
  std::string name_space;
  std::string job;
  std::string run_id;
};
/// "namespace/job/run id", the last a UUID: as OPENLINEAGE_PARENT_ID has it. Nothing when it is
/// none.
std::optional<ParentRun> parse_parent_run(std::string_view text);

/// Who speaks of it.
struct LineageJob {
  std::string name_space = "default";
  std::optional<ParentRun> parent;
};

/// Of the start of a run, or of its end: COMPLETE, ABORT when a signal stopped it, else FAIL. Names
/// and counts only, never a value of a message.
std::string lineage_of_start(const LineageJob& job, const Lineage& lineage, const RunFacts& facts);
std::string lineage_of_end(const LineageJob& job, const Lineage& lineage, const Summary& summary);

}  // namespace sluice
