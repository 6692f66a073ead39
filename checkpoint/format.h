// SPDX-License-Identifier: Apache-2.0
// By what a checkpoint is recognised, whose it is, and its tables. README.md tells the schema.
#pragma once

#include <string>

#include "checkpoint/sqlite.h"

namespace sluice {

/// The file is in order but of no use to this run. `because` goes on after its name: "belongs to
/// another queue".
struct Unsuitable {
  std::string because;
};

/// Tables, format and identity, in the transaction of the caller.
void write_format(sqlite::Connection& db, const CheckpointIdentity& identity);

/// Whose it is, in whatever format. Throws Damaged, or CheckpointError{newer}.
CheckpointIdentity owner_of(sqlite::Connection& db);
/// Throws Unsuitable when it is of an older format, whose windows cannot be read.
void require_this_format(sqlite::Connection& db);

/// Throws Damaged, Unsuitable, or CheckpointError{newer, other_pipeline}.
void require_ours(sqlite::Connection& db, const CheckpointIdentity& identity);

}  // namespace sluice
