// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/run_history.h"

#include <array>
#include <vector>

#include "job/base/clock.h"
#include "job/base/text.h"

namespace sluice {
namespace {

constexpr std::string_view kDoing = "reading the history of runs";
constexpr std::int64_t kDayS = 86'400;
constexpr int kMostDays = 400;

/// One row a run of the period, what its summary tells in columns. An older summary lacks some.
constexpr std::string_view kRuns = R"(
  WITH run AS (
    SELECT run_id, worker, exit_code,
           floor(extract(epoch FROM started_at) * 1000)::bigint AS at,
           CASE WHEN ended_at IS NULL THEN 'unfinished'
                WHEN summary ->> 'status' = 'skipped' THEN 'skipped'  -- with a status of the user's choice
                WHEN exit_code = 0 THEN 'ok'
                WHEN exit_code = 65 THEN 'rejections'
                WHEN exit_code IN (130, 143) THEN 'interrupted'
                ELSE 'failed' END AS state,
           coalesce((summary ->> 'duration_s')::numeric,
                    round(extract(epoch FROM ended_at - started_at), 3)) AS seconds,
           (summary #>> '{counts,received}')::numeric AS received,
           (summary #>> '{counts,loaded}')::numeric AS loaded,
           (summary #>> '{counts,duplicate}')::numeric AS duplicate,
           (summary #>> '{counts,rejected}')::numeric AS rejected,
           CASE jsonb_typeof(summary #> '{counts,rows}') WHEN 'object' THEN
             (SELECT sum(value::numeric) FROM jsonb_each_text(summary #> '{counts,rows}')) END AS rows,
           (summary ->> 'oldest_message_age_s')::numeric AS age,
           (summary #>> '{queue_after,visible}')::numeric AS left_over,
           summary -> 'stages' AS stages,
           left(summary #>> '{error,message}', 300) AS error
      FROM sluice.run
     WHERE pipeline = $1 AND ($2::timestamptz IS NULL OR started_at >= $2)
       AND ($3::timestamptz IS NULL OR started_at < $3)) )";

constexpr std::string_view kSums = R"(
  count(*) AS runs,
  count(*) FILTER (WHERE state = 'ok') AS ok,
  count(*) FILTER (WHERE state = 'skipped') AS skipped,
  count(*) FILTER (WHERE state = 'rejections') AS rejections,
  count(*) FILTER (WHERE state = 'interrupted') AS interrupted,
  count(*) FILTER (WHERE state = 'failed') AS failed,
  count(*) FILTER (WHERE state = 'unfinished') AS unfinished,
  sum(received) AS received, sum(loaded) AS loaded, sum(duplicate) AS duplicate,
  sum(rejected) AS rejected, sum(rows) AS rows, sum(seconds) AS seconds )";

constexpr std::string_view kTotals = R"(
  SELECT row_to_json(totals) FROM (
    SELECT min(at) AS first, max(at) AS last, )";
constexpr std::string_view kTotalsEnd = R"(,
           round(percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds)::numeric, 3) AS median_s,
           round(percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds)::numeric, 3) AS p95_s,
           (SELECT row_to_json(newest) FROM (
              SELECT at, age, left_over FROM run WHERE state <> 'unfinished'
               ORDER BY at DESC LIMIT 1) AS newest) AS newest
      FROM run) AS totals)";

constexpr std::string_view kPoints = R"(
  SELECT coalesce(json_agg(point ORDER BY point.at), '[]') FROM (
    SELECT min(at) AS at, max(at) AS until, )";
constexpr std::string_view kPointsEnd = R"(,
           count(DISTINCT worker) AS workers, left(min(worker), 100) AS worker,
           max(seconds) AS longest, max(age) AS age, max(exit_code) AS exit_code,
           min(error) AS error,
           CASE WHEN count(stages) > 0 THEN json_build_array(
             sum((stages ->> 'receive')::numeric), sum((stages ->> 'decode')::numeric),
             sum((stages ->> 'validate')::numeric), sum((stages ->> 'mask')::numeric),
             sum((stages ->> 'stage')::numeric), sum((stages ->> 'load')::numeric),
             sum((stages ->> 'delete')::numeric)) END AS stages
      FROM run
     GROUP BY CASE WHEN $4::bigint = 0 THEN run_id::text ELSE (at / 1000 / $4::bigint)::text END
    ) AS point)";

constexpr std::string_view kWorkers = R"(
  SELECT coalesce(json_agg(most), '[]') FROM (
    SELECT left(worker, 100) AS worker, )";
constexpr std::string_view kWorkersEnd = R"(
      FROM run GROUP BY run.worker ORDER BY sum(loaded) DESC NULLS LAST, run.worker LIMIT 20
    ) AS most)";

constexpr std::string_view kRejected = R"(
  FROM sluice.rejected_message
 WHERE pipeline = $1 AND ($2::timestamptz IS NULL OR rejected_at >= $2)
   AND ($3::timestamptz IS NULL OR rejected_at < $3))";

constexpr std::string_view kReasons = R"(
  SELECT coalesce(json_agg(most), '[]') FROM (
    SELECT left(reason, 100) AS reason, left(field, 200) AS field, sqlstate, count(*) AS messages,
           count(replayed_at) AS replayed,
           floor(extract(epoch FROM max(rejected_at)) * 1000)::bigint AS newest )";
constexpr std::string_view kReasonsEnd = R"(
     GROUP BY 1, 2, 3 ORDER BY count(*) DESC, 1, 2, 3 LIMIT 200) AS most)";

constexpr std::string_view kDays = R"(
  SELECT coalesce(json_agg(day ORDER BY day.at), '[]') FROM (
    SELECT floor(extract(epoch FROM rejected_at) / $4::bigint)::bigint * $4::bigint * 1000 AS at,
           left(reason, 100) AS reason, count(*) AS messages )";
constexpr std::string_view kDaysEnd = " GROUP BY 1, 2 LIMIT 10000) AS day";

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string all;
  for (const std::string_view part : parts) all += part;
  return all;
}

Parameter moment_parameter(std::optional<std::int64_t> ms) {
  return ms ? text_parameter(rfc3339(*ms)) : null_parameter();
}

/// One connection's questions about one period.
class History {
 public:
  History(Connection& connection, const Period& period)
      : connection_(connection),
        parameters_{text_parameter(period.pipeline), moment_parameter(period.since_ms),
                    moment_parameter(period.until_ms)} {}

  Result ask(const std::string& sql) const { return connection_.query(sql, parameters_, kDoing); }
  std::string json(const std::string& sql) const { return std::string(ask(sql).at(0, 0)); }
  std::string json(const std::string& sql, std::int64_t bucket_s) const {
    std::vector<Parameter> parameters = parameters_;
    parameters.push_back(number_parameter(bucket_s));
    return std::string(connection_.query(sql, parameters, kDoing).at(0, 0));
  }

 private:
  Connection& connection_;
  std::vector<Parameter> parameters_;
};

std::int64_t run_bucket(const History& history) {
  const Result extent = history.ask(joined({kRuns, "SELECT count(*), min(at), max(at) FROM run"}));
  if (extent.number_at(0, 0) <= kMostPoints) return 0;
  return bucket_seconds(extent.number_at(0, 1), extent.number_at(0, 2), kMostPoints, 1);
}

std::int64_t day_bucket(const History& history) {
  const Result extent =
      history.ask(joined({"SELECT floor(extract(epoch FROM min(rejected_at)) * 1000)::bigint,"
                          " floor(extract(epoch FROM max(rejected_at)) * 1000)::bigint",
                          kRejected}));
  if (extent.is_null(0, 0)) return kDayS;
  return bucket_seconds(extent.number_at(0, 0), extent.number_at(0, 1), kMostDays, kDayS);
}

}  // namespace

std::int64_t bucket_seconds(std::int64_t first_ms, std::int64_t last_ms, int most,
                            std::int64_t least_s) {
  // Each divides a day or is so many days, so that days begin with a bucket.
  constexpr std::array<std::int64_t, 19> kWidths = {
      1,    2,    5,    10,    15,    30,    60,        120,       300,      600,
      1800, 3600, 7200, 10800, 21600, 43200, kDayS * 1, kDayS * 2, kDayS * 7};
  const auto buckets = [&](std::int64_t width) {
    return last_ms / 1000 / width - first_ms / 1000 / width + 1;
  };
  for (const std::int64_t width : kWidths) {
    if (width >= least_s && buckets(width) <= most) return width;
  }
  std::int64_t width = kWidths.back();
  while (buckets(width) > most) width *= 2;
  return width;
}

std::string run_history(Connection& connection, const Period& period) {
  // What ends in between is in all of it or in none. A standby can be asked as well.
  connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", kDoing);
  const History history(connection, period);
  const std::int64_t bucket_s = run_bucket(history);
  const std::int64_t day_s = day_bucket(history);
  std::string json = "{\"totals\":" + history.json(joined({kRuns, kTotals, kSums, kTotalsEnd}));
  json += ",\"bucket_s\":" + std::to_string(bucket_s);
  json += ",\"points\":" + history.json(joined({kRuns, kPoints, kSums, kPointsEnd}), bucket_s);
  json += ",\"workers\":" + history.json(joined({kRuns, kWorkers, kSums, kWorkersEnd}));
  json += ",\"worker_count\":" +
          history.json(joined({kRuns, "SELECT count(DISTINCT worker) FROM run"}));
  json += ",\"reasons\":" + history.json(joined({kReasons, kRejected, kReasonsEnd}));
  json += ",\"day_s\":" + std::to_string(day_s);
  json += ",\"days\":" + history.json(joined({kDays, kRejected, kDaysEnd}), day_s) + "}";
  connection.execute("COMMIT", kDoing);
  return json;
}

}  // namespace sluice
