// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/format.h"

#include <filesystem>

namespace sluice {
namespace {

using Kind = CheckpointError::Kind;

/// "slui", in the header of every checkpoint.
constexpr std::int64_t kApplicationId = 0x736c7569;
/// Version of schema, packing and digests, in the header as user_version.
constexpr std::int64_t kFormat = 2;

constexpr const char* kSchema = R"(
CREATE TABLE meta(
  id INTEGER PRIMARY KEY CHECK (id = 1),
  pipeline TEXT NOT NULL,
  queue TEXT NOT NULL,
  database TEXT NOT NULL,
  openings INTEGER NOT NULL) STRICT;
CREATE TABLE window(
  number INTEGER PRIMARY KEY,
  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 4),
  set_aside INTEGER NOT NULL,
  messages INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  oldest_sent_ms INTEGER NOT NULL,
  opened_ms INTEGER NOT NULL,
  closed_ms INTEGER NOT NULL,
  id BLOB NOT NULL,
  digest BLOB NOT NULL,
  row_digest BLOB NOT NULL) STRICT;
CREATE TABLE batch(
  place INTEGER PRIMARY KEY,
  digest BLOB NOT NULL,
  contents BLOB NOT NULL) STRICT;
CREATE TABLE receipts(
  place INTEGER PRIMARY KEY,
  digest BLOB NOT NULL,
  packed BLOB NOT NULL) STRICT;
)";

std::int64_t value_of(sqlite::Connection& db, std::string_view sql) {
  auto row = db.statement(sql);
  row.next();
  return row.integer(0);
}

}  // namespace

bool is_of_this_format(sqlite::Connection& db) {
  return value_of(db, "PRAGMA application_id") == kApplicationId &&
         value_of(db, "PRAGMA user_version") == kFormat;
}

void write_format(sqlite::Connection& db, const CheckpointIdentity& identity) {
  db.execute(kSchema);
  // In the transaction of the tables, so that a half-made file is recognised as none of ours.
  db.execute(("PRAGMA application_id = " + std::to_string(kApplicationId) +
              "; PRAGMA user_version = " + std::to_string(kFormat))
                 .c_str());
  db.statement("INSERT INTO meta VALUES (1, ?, ?, ?, 1)", identity.pipeline, identity.queue,
               identity.database)
      .run();
}

void require_ours(sqlite::Connection& db, const CheckpointIdentity& identity) {
  if (value_of(db, "PRAGMA application_id") != kApplicationId) {
    throw sqlite::Damaged(db.path(), std::filesystem::file_size(db.path()) == 0
                                         ? "it is empty"
                                         : "it is no checkpoint of this program");
  }
  const std::int64_t format = value_of(db, "PRAGMA user_version");
  if (format > kFormat) {
    throw CheckpointError(Kind::newer, "checkpoint " + db.path() + ": " +
                                           "written by a newer version (format " +
                                           std::to_string(format) + ", this one knows " +
                                           std::to_string(kFormat) + ")");
  }
  auto row = db.statement("SELECT pipeline, queue, database FROM meta");
  if (!row.next()) throw sqlite::Damaged(db.path(), "it does not say whose it is");
  if (row.bytes(0) != identity.pipeline) {
    throw CheckpointError(Kind::other_pipeline, "checkpoint " + db.path() + ": " +
                                                    "belongs to pipeline '" +
                                                    std::string(row.bytes(0)) + "'");
  }
  // Only after the pipeline: another's file is refused, however old it is.
  if (format < kFormat) {
    throw Unsuitable{"was written by an older version (format " + std::to_string(format) +
                     ", this one writes " + std::to_string(kFormat) + ")"};
  }
  if (row.bytes(1) != identity.queue) throw Unsuitable{"belongs to another queue"};
  if (row.bytes(2) != identity.database) throw Unsuitable{"belongs to another database"};
}

}  // namespace sluice
