// SPDX-License-Identifier: Apache-2.0
// sluice.run: what a run leaves behind about itself, and what `status` reads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "job/warehouse/connection.h"

namespace sluice {

struct RunBegin {
  std::string run_id;  // UUID
  std::string pipeline;
  std::string run_group;
  std::string worker;
  std::int64_t started_ms = 0;
};
void begin_run(Connection& connection, const RunBegin& run);

struct RunEnd {
  std::string run_id;
  std::int64_t ended_ms = 0;
  int exit_code = 0;
  std::string stop_reason;
  std::string summary;  // JSON
};
/// Over a connection of its own, within twice `limit_ms`. Why it could not be recorded, or nothing:
/// the exit status of a run does not depend on it.
std::optional<Failure> end_run(const std::string& conninfo, const RunEnd& run,
                               std::int64_t limit_ms = 1500);

/// What a run that has not told its end is known to have committed: the sum over its windows.
struct LoadedSoFar {
  std::int64_t windows = 0;
  std::int64_t loaded = 0;
  std::int64_t duplicate = 0;
  std::int64_t rejected = 0;
  std::int64_t rows = 0;
  std::string newest_sent_at;  // empty: no window yet
};

/// Times are as `rfc3339` writes them; what is not known yet is empty.
struct RunRecord {
  std::string run_id;
  std::string run_group;
  std::string worker;
  std::string started_at;
  std::string ended_at;
  std::optional<int> exit_code;
  std::string stop_reason;
  std::string summary;
  std::optional<LoadedSoFar> so_far;  // without `ended_at` only
};
/// The newest first.
std::vector<RunRecord> last_runs(Connection& connection, const std::string& pipeline, int most);

struct RejectionCount {
  std::string reason;
  std::string field;
  std::string sqlstate;
  std::int64_t messages = 0;
  std::string newest;  // rejected_at
  std::int64_t last_day = 0;
  std::int64_t to_forward = 0;  // not yet in the dead-letter queue, where they belong
};
/// Those not replayed yet, the most frequent first.
std::vector<RejectionCount> rejections_by_reason(Connection& connection,
                                                 const std::string& pipeline);

}  // namespace sluice
