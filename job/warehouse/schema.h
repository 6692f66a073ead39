// SPDX-License-Identifier: Apache-2.0
// Schema `sluice` of a database: is it there, is it ours, may we use it.
#pragma once

#include <string>
#include <vector>

#include "job/base/finding.h"
#include "job/warehouse/connection.h"

namespace sluice {

/// The version that this program's migrations make.
int schema_version_of_program();
/// The version of the database; 0 without schema `sluice`.
int schema_version(Connection& connection);

/// Server, schema and the rights on it, for `check` and before the first receive. Stops at the
/// first that is wrong, because the next would only be its consequence.
std::vector<Finding> check_schema(Connection& connection);

/// The UUID that tells this database from every other: a checkpoint is bound to it.
std::string read_identity(Connection& connection);

}  // namespace sluice
