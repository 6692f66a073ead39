// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/run_log.h"

#include <array>

#include "job/base/clock.h"

namespace sluice {
namespace {

std::string rfc3339_of(const std::string& column) {
  return "to_char(" + column + R"( AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))";
}

}  // namespace

void begin_run(Connection& connection, const RunBegin& run) {
  const std::array parameters = {text_parameter(run.run_id), text_parameter(run.pipeline),
                                 text_parameter(run.run_group), text_parameter(run.worker),
                                 text_parameter(rfc3339(run.started_ms))};
  connection.query(
      "INSERT INTO sluice.run (run_id, pipeline, run_group, worker, started_at) VALUES ($1, $2, "
      "$3, $4, $5)",
      parameters, "recording the run");
}

std::optional<Failure> end_run(const std::string& conninfo, const RunEnd& run,
                               std::int64_t limit_ms) try {
  const Interrupt never;
  Connection connection(conninfo, never, limit_ms);
  const std::array parameters = {text_parameter(run.run_id), text_parameter(rfc3339(run.ended_ms)),
                                 number_parameter(run.exit_code), text_parameter(run.stop_reason),
                                 text_parameter(run.summary)};
  connection.query(
      "UPDATE sluice.run SET ended_at = $2, exit_code = $3, stop_reason = $4, summary = $5 WHERE "
      "run_id = $1",
      parameters, "recording the run's end", Format::text, limit_ms);
  return std::nullopt;
} catch (const Failure& failure) {
  return failure;
}

std::vector<RunRecord> last_runs(Connection& connection, const std::string& pipeline, int most) {
  const std::array parameters = {text_parameter(pipeline), number_parameter(most)};
  // A window's time is the server's, a run's is its host's: an hour is more than clocks differ.
  const std::string so_far =
      "SELECT count(*), coalesce(sum(loaded), 0), coalesce(sum(duplicate), 0),"
      " coalesce(sum(rejected), 0), coalesce(sum(row_count), 0), " +
      rfc3339_of("max(newest_sent_at)") +
      " FROM sluice.loaded_window AS each WHERE run.ended_at IS NULL AND each.run_id = run.run_id"
      " AND loaded_at > run.started_at - interval '1 hour'";
  const Result result = connection.query(
      "SELECT run_id, run_group, worker, " + rfc3339_of("started_at") + ", " +
          rfc3339_of("ended_at") +
          ", exit_code, stop_reason, summary, so_far.*"
          " FROM (SELECT * FROM sluice.run WHERE pipeline = $1 ORDER BY started_at DESC LIMIT $2)"
          " AS run CROSS JOIN LATERAL (" +
          so_far + ") AS so_far ORDER BY started_at DESC",
      parameters, "reading the last runs");
  std::vector<RunRecord> runs;
  for (int row = 0; row < result.rows(); ++row) {
    const auto text = [&](int column) { return std::string(result.at(row, column)); };
    runs.push_back({.run_id = text(0),
                    .run_group = text(1),
                    .worker = text(2),
                    .started_at = text(3),
                    .ended_at = text(4),
                    .exit_code = result.is_null(row, 5)
                                     ? std::nullopt
                                     : std::optional(int(result.number_at(row, 5))),
                    .stop_reason = text(6),
                    .summary = text(7),
                    .so_far = std::nullopt});
    if (result.is_null(row, 4)) {
      const auto sum = [&](int column) { return result.number_at(row, column); };
      runs.back().so_far = {sum(8), sum(9), sum(10), sum(11), sum(12), text(13)};
    }
  }
  return runs;
}

std::vector<RejectionCount> rejections_by_reason(Connection& connection,
                                                 const std::string& pipeline) {
  const std::array parameters = {text_parameter(pipeline)};
  const Result result = connection.query(
      "SELECT reason, field, sqlstate, count(*), " + rfc3339_of("max(rejected_at)") +
          ", count(*) FILTER (WHERE rejected_at > now() - interval '24 hours'),"
          " count(*) FILTER (WHERE to_forward AND forwarded_at IS NULL)"
          " FROM sluice.rejected_message WHERE pipeline = $1 AND replayed_at IS NULL"
          " GROUP BY reason, field, sqlstate ORDER BY count(*) DESC, reason, field",
      parameters, "counting rejections");
  std::vector<RejectionCount> counts;
  for (int row = 0; row < result.rows(); ++row) {
    const auto text = [&](int column) { return std::string(result.at(row, column)); };
    counts.push_back({text(0), text(1), text(2), result.number_at(row, 3), text(4),
                      result.number_at(row, 5), result.number_at(row, 6)});
  }
  return counts;
}

}  // namespace sluice
