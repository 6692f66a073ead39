// SPDX-License-Identifier: Apache-2.0
// Brings schema `sluice` to this program's version.
#pragma once

#include <string>
#include <string_view>

#include "job/warehouse/connection.h"

namespace sluice {

/// Applies the migrations that the database lacks, each in a transaction of its own, one process at
/// a time. Returns how many. A schema that is newer than the program is Failure{configuration}.
int migrate(Connection& connection);

/// All of it as one script for psql, for those whose database is changed by others.
std::string migration_script();

/// Statements of the user's, such as the DDL of the pipeline's tables, in one transaction. `name`
/// is told on failure.
void run_script(Connection& connection, const std::string& sql, std::string_view name);

}  // namespace sluice
