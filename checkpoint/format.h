// SPDX-License-Identifier: Apache-2.0
// By what a checkpoint is recognised, whose it is, and its tables. README.md tells the schema.
#pragma once

#include <string>

#include "checkpoint/sqlite.h"

namespace sluice {

/// The file is in order but holds the windows of another queue or database.
struct Foreign {
  std::string of;
};

/// Tables, format and identity, in the transaction of the caller.
void write_format(sqlite::Connection& db, const CheckpointIdentity& identity);

/// Throws Damaged, Foreign, or CheckpointError{newer, other_pipeline}.
void require_ours(sqlite::Connection& db, const CheckpointIdentity& identity);

bool is_of_this_format(sqlite::Connection& db);

}  // namespace sluice
