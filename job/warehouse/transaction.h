// SPDX-License-Identifier: Apache-2.0
// A transaction in which nothing waits without a limit, and whose COMMIT is believed only when it
// is certain.
#pragma once

#include <cstdint>
#include <string_view>

#include "job/warehouse/connection.h"

namespace sluice {

/// How long the server waits before it gives up on us or on a lock, and how long we wait for the
/// answer to COMMIT.
struct LoadLimits {
  std::int64_t lock_ms = 60'000;
  std::int64_t statement_ms = 600'000;
  std::int64_t idle_ms = 60'000;
  std::int64_t commit_ms = 120'000;
  /// As `idle_ms`, while letters are on their way: a round of them, each with the minute of tries
  /// that a call of the queue gets. Only who would forward the same rows waits for it.
  std::int64_t send_ms = 1'800'000;
};

/// `doing` as for Connection; both throw PostgresError.
void begin_transaction(Connection& connection, const LoadLimits& limits, std::string_view doing);
/// A COMMIT in doubt throws too.
void commit_transaction(Connection& connection, const LoadLimits& limits, std::string_view doing);

}  // namespace sluice
