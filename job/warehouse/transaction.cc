// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/transaction.h"

#include <string>

namespace sluice {
namespace {

// While the server waits for the data of a COPY, only its own view of the network ends the wait for
// a host that died: neither statement_timeout nor a cancel does.
constexpr char kNoticeADeadClient[] =
    "SET LOCAL tcp_keepalives_idle = 30; SET LOCAL tcp_keepalives_interval = 10; "
    "SET LOCAL tcp_keepalives_count = 3; SET LOCAL tcp_user_timeout = 30000; ";

}  // namespace

void begin_transaction(Connection& connection, const LoadLimits& limits, std::string_view doing) {
  const auto ms = [](std::int64_t value) { return "'" + std::to_string(value) + "ms'; "; };
  // READ COMMITTED: under a stronger level an ON CONFLICT or a row lock fails instead of waiting.
  // Deferred constraints must speak before COMMIT. Only errors may come during a COPY, so that
  // whatever comes ends it early. Compiling the look-up of a large window costs more than it does.
  connection.execute(
      "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = " +
          ms(limits.lock_ms) + "SET LOCAL statement_timeout = " + ms(limits.statement_ms) +
          "SET LOCAL idle_in_transaction_session_timeout = " + ms(limits.idle_ms) +
          kNoticeADeadClient +
          "SET LOCAL jit = off; SET LOCAL client_min_messages = error; SET CONSTRAINTS ALL "
          "IMMEDIATE; "
          "SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit')"
          " WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true)",
      doing);
}

void commit_transaction(Connection& connection, const LoadLimits& limits, std::string_view doing) {
  // The warning that a wait for the standby was cut short must reach us.
  connection.execute("SET LOCAL client_min_messages = warning", doing);
  if (!connection.commit(limits.commit_ms)) {
    throw lost(std::string(doing),
               "COMMIT is in doubt: the server did not confirm it without a warning");
  }
}

}  // namespace sluice
