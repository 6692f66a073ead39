// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/ledger_days.h"

#include <array>
#include <set>

#include "job/warehouse/sql_text.h"

namespace sluice {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kDaysAhead = 2;

std::int64_t day_of(std::int64_t ms) { return (ms - (ms % kDayMs + kDayMs) % kDayMs) / kDayMs; }

}  // namespace

void prepare_days(Connection& connection, std::int64_t now_ms, std::int64_t retention_s) {
  const std::array parameters = {number_parameter(day_of(now_ms - retention_s * 1000)),
                                 number_parameter(day_of(now_ms) + kDaysAhead)};
  connection.query(
      "SELECT sluice.add_days(date '1970-01-01' + $1::int, date '1970-01-01' + $2::int)",
      parameters, "preparing the ledger's days");
}

void add_days_of(Connection& connection, const Messages& messages) {
  std::set<std::int64_t> days;
  for (const StagedMessage* message : messages) days.insert(day_of(message->key.sent_ms));
  std::string list;
  for (const std::int64_t day : days) list += (list.empty() ? "{" : ",") + std::to_string(day);
  const std::array parameters = {text_parameter(list + "}")};
  connection.query(
      "SELECT sluice.add_days(date '1970-01-01' + day, date '1970-01-01' + day) FROM "
      "unnest($1::int[]) AS day",
      parameters, "adding days to the ledger");
}

int prune_ledger(Connection& connection, int horizon_days) {
  constexpr std::string_view kDoing = "pruning the ledger";
  const std::array parameters = {number_parameter(horizon_days)};
  const Result days = connection.query(
      "SELECT c.relname, i.inhrelid IS NOT NULL AS attached, coalesce(i.inhdetachpending, false) "
      "AS pending"
      " FROM pg_catalog.pg_class AS c LEFT JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = c.oid,"
      " LATERAL (SELECT to_date(right(c.relname, 8), 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC' AS "
      "begins) AS day,"
      " LATERAL (SELECT day.begins + interval '24 hours' AS ends, now() - make_interval(days => "
      "$1::int) AS horizon) AS time"
      " WHERE c.relnamespace = 'sluice'::regnamespace AND c.relkind = 'r' AND c.relname ~ "
      "'^loaded_message_[0-9]{8}$'"
      " AND (coalesce(i.inhdetachpending, false) OR time.ends < time.horizon AND NOT EXISTS ("
      "   SELECT FROM sluice.loaded_window AS w WHERE w.loaded_at >= time.horizon"
      "   AND w.oldest_sent_at < time.ends AND w.newest_sent_at >= day.begins))"
      " ORDER BY c.relname",
      parameters, kDoing);
  if (days.rows() == 0) return 0;
  // DETACH CONCURRENTLY runs in no transaction, so this is said for the session.
  connection.execute("SET lock_timeout = '10s'", kDoing);
  for (int row = 0; row < days.rows(); ++row) {
    const std::string day = "sluice." + quoted(days.at(row, 0));
    if (days.bool_at(row, 1)) {
      // Never DROP while attached: that waits for every reader and makes every loader wait behind
      // it.
      connection.execute("ALTER TABLE sluice.loaded_message DETACH PARTITION " + day +
                             (days.bool_at(row, 2) ? " FINALIZE" : " CONCURRENTLY"),
                         kDoing);
    }
    connection.execute("DROP TABLE " + day, kDoing);
  }
  connection.execute("RESET lock_timeout", kDoing);
  return days.rows();
}

}  // namespace sluice
