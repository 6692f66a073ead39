// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/format.h"

#include <array>
#include <filesystem>
#include <string_view>

#include "checkpoint/digest.h"
#include "checkpoint/packed.h"

namespace sluice {
namespace {

using Kind = CheckpointError::Kind;

/// "slui", in the header of every checkpoint.
constexpr std::int64_t kApplicationId = 0x736c7569;
/// Version of schema, packing and digests, in the header as user_version.
constexpr std::int64_t kFormat = 3;

/// As SQLite keeps their texts: one flipped bit in a column's name and every later statement fails.
constexpr std::array<std::string_view, 4> kTables = {
    R"(CREATE TABLE meta(
  id INTEGER PRIMARY KEY CHECK (id = 1),
  pipeline TEXT NOT NULL,
  queue TEXT NOT NULL,
  database TEXT NOT NULL,
  digest BLOB NOT NULL,
  openings INTEGER NOT NULL) STRICT)",
    R"(CREATE TABLE window(
  number INTEGER PRIMARY KEY,
  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 4),
  set_aside INTEGER NOT NULL,
  messages INTEGER NOT NULL,
  to_delete INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  oldest_sent_ms INTEGER NOT NULL,
  opened_ms INTEGER NOT NULL,
  closed_ms INTEGER NOT NULL,
  id BLOB NOT NULL,
  digest BLOB NOT NULL,
  row_digest BLOB NOT NULL) STRICT)",
    R"(CREATE TABLE batch(
  place INTEGER PRIMARY KEY,
  digest BLOB NOT NULL,
  contents BLOB NOT NULL) STRICT)",
    R"(CREATE TABLE receipts(
  place INTEGER PRIMARY KEY,
  digest BLOB NOT NULL,
  packed BLOB NOT NULL) STRICT)",
};

std::int64_t value_of(sqlite::Connection& db, std::string_view sql) {
  auto row = db.statement(sql);
  row.next();
  return row.integer(0);
}

Digest digest_of(const CheckpointIdentity& identity) {
  std::string packed;
  for (const std::string& each : {identity.pipeline, identity.queue, identity.database}) {
    packed::append_text(packed, each);
  }
  return sha256(packed);
}

CheckpointIdentity owner_in(sqlite::Connection& db) {
  auto row = db.statement("SELECT pipeline, queue, database FROM meta");
  if (!row.next()) throw sqlite::Damaged(db.path(), "it does not say whose it is");
  return {std::string(row.bytes(0)), std::string(row.bytes(1)), std::string(row.bytes(2))};
}

/// Before anybody is told that it is somebody else's.
void require_whole(sqlite::Connection& db, const CheckpointIdentity& owner) {
  auto table = db.statement("SELECT sql FROM sqlite_schema ORDER BY rowid");
  for (const std::string_view expected : kTables) {
    if (!table.next() || table.bytes(0) != expected) {
      throw sqlite::Damaged(db.path(), "its tables are not those of a checkpoint");
    }
  }
  if (table.next()) throw sqlite::Damaged(db.path(), "it has a table too many");
  auto digest = db.statement("SELECT digest FROM meta");
  if (!digest.next() || digest.bytes(0) != packed::view(digest_of(owner))) {
    throw sqlite::Damaged(db.path(), "it does not say whose it is");
  }
}

}  // namespace

void write_format(sqlite::Connection& db, const CheckpointIdentity& identity) {
  for (const std::string_view table : kTables) db.statement(table).run();
  // In the transaction of the tables, so that a half-made file is recognised as none of ours.
  db.execute(("PRAGMA application_id = " + std::to_string(kApplicationId) +
              "; PRAGMA user_version = " + std::to_string(kFormat))
                 .c_str());
  const Digest digest = digest_of(identity);
  db.statement("INSERT INTO meta VALUES (1, ?, ?, ?, ?, 1)", identity.pipeline, identity.queue,
               identity.database, sqlite::Blob{packed::view(digest)})
      .run();
}

CheckpointIdentity owner_of(sqlite::Connection& db) {
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
  CheckpointIdentity owner = owner_in(db);
  if (format == kFormat) require_whole(db, owner);
  return owner;
}

void require_this_format(sqlite::Connection& db) {
  const std::int64_t format = value_of(db, "PRAGMA user_version");
  if (format == kFormat) return;
  throw Unsuitable{"was written by an older version (format " + std::to_string(format) +
                   ", this one writes " + std::to_string(kFormat) + ")"};
}

void require_ours(sqlite::Connection& db, const CheckpointIdentity& identity) {
  const CheckpointIdentity owner = owner_of(db);
  if (owner.pipeline != identity.pipeline) {
    throw CheckpointError(Kind::other_pipeline, "checkpoint " + db.path() + ": " +
                                                    "belongs to pipeline '" + owner.pipeline + "'");
  }
  // Only after the pipeline: another's file is refused, however old it is.
  require_this_format(db);
  if (owner.queue != identity.queue) throw Unsuitable{"belongs to another queue"};
  if (owner.database != identity.database) throw Unsuitable{"belongs to another database"};
}

}  // namespace sluice
