// SPDX-License-Identifier: Apache-2.0
// The rows into the pipeline's tables, inside a load. What Postgres refuses is found and set apart:
// a message is in all of its tables or in none.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "job/config/pipeline.h"
#include "job/warehouse/connection.h"
#include "job/warehouse/ledger.h"

namespace sluice {

/// A message whose rows Postgres does not take.
struct Refusal {
  const StagedMessage* message;
  std::string sqlstate;
  std::string field;  // source of the column that Postgres named, if it did
  std::string constraint;
};

struct TargetCounts {
  std::vector<std::uint64_t> rows;  // by table
  std::uint64_t duplicates = 0;     // recognised by a `unique` key of the target
  std::vector<Refusal> refusals;
};

/// Copies the messages' rows in the order given. PostgresError for whatever is not the fault of a
/// row.
TargetCounts copy_to_target(Connection& connection, std::span<const Table> tables,
                            const Messages& messages);

/// The tuple, from 1, at which a COPY ended, by an error's CONTEXT: "COPY user_logins, line 3,
/// column locale". The words are in the server's language, so only the first number after the
/// table's name counts.
std::optional<std::uint64_t> refused_line(std::string_view context, std::string_view table);

}  // namespace sluice
