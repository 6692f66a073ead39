// SPDX-License-Identifier: Apache-2.0
// The ledger's partitions, one a day of UTC: they come before the messages and go when the horizon
// has passed.
#pragma once

#include <cstdint>

#include "job/warehouse/connection.h"
#include "job/warehouse/ledger.h"

namespace sluice {

/// The days that a run can meet: from as long ago as the queue keeps a message to two days ahead.
/// At the start of a run.
void prepare_days(Connection& connection, std::int64_t now_ms, std::int64_t retention_s);

/// The days of these messages, whenever they were.
void add_days_of(Connection& connection, const Messages& messages);

/// Drops the days that ended more than `horizon_days` ago and into which nothing was loaded since
/// then: what a backfill loads is recognised for the whole horizon, counted from the load. Needs
/// the ledger's owner. Returns the number dropped. What a run cut short left half detached is
/// finished first.
int prune_ledger(Connection& connection, int horizon_days);

}  // namespace sluice
