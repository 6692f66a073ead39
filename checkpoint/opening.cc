// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/opening.h"

#include <cerrno>
#include <filesystem>
#include <new>
#include <optional>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint/contents.h"
#include "checkpoint/file_lock.h"
#include "checkpoint/format.h"
#include "checkpoint/put_aside.h"
#include "checkpoint/window_rows.h"

namespace sluice {
namespace {

using Kind = CheckpointError::Kind;

/// Whoever looks into the file with SQLite's own tools holds a shared lock for a moment; that must
/// not fail a run.
constexpr int kLockWaitMs = 250;

/// EXCLUSIVE comes first: set before the first access, the lock is never given back between two
/// transactions. Reasons and measurements for all of them: README.md.
constexpr const char* kSettings =
    "PRAGMA locking_mode = EXCLUSIVE;"
    "PRAGMA page_size = 16384;"
    "PRAGMA journal_mode = PERSIST;"
    "PRAGMA synchronous = FULL;"
    "PRAGMA secure_delete = OFF;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA cache_size = -8192;";  // KiB; a transaction that outgrows it costs further syncs

std::string subject(const std::string& path) { return "checkpoint " + path + ": "; }

CheckpointError renamed(const std::string& path) {
  return {Kind::locked, subject(path) + "another process renamed it just now"};
}

std::optional<FileId> id_at(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileId{status.st_dev, status.st_ino};
}

/// Which file it is; none when there is something already.
std::optional<FileId> make_file(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor >= 0) {
    struct stat status;
    fstat(descriptor, &status);  // of an open file it does not fail
    close(descriptor);
    sync_folder_of(path);
    return FileId{status.st_dev, status.st_ino};
  }
  if (errno == EEXIST) return std::nullopt;
  throw CheckpointError(errno == ENOSPC || errno == EDQUOT ? Kind::disk_full : Kind::unwritable,
                        subject(path) + std::generic_category().message(errno));
}

std::unique_ptr<sqlite::Connection> connect(const std::string& path) {
  auto db = std::make_unique<sqlite::Connection>(path, kLockWaitMs);
  if (db->read_only()) throw CheckpointError(Kind::unwritable, subject(path) + "read-only");
  db->execute(kSettings);
  return db;
}

/// Between our opening of the file and our lock, another process may have put the file aside.
void require_still_there(const sqlite::Connection& db) {
  if (db.has_moved()) throw renamed(db.path());
}

std::unique_ptr<sqlite::Connection> fill(const std::string& path,
                                         const CheckpointIdentity& identity) {
  auto db = connect(path);
  sqlite::Transaction transaction(*db);
  require_still_there(*db);
  write_format(*db, identity);
  transaction.commit();
  return db;
}

/// The empty file that `make_file` left becomes a checkpoint, or goes: the next run would take it
/// for a damaged one. So may another process that starts now, and put its own in this one's place.
std::unique_ptr<sqlite::Connection> make(const std::string& path, const FileId& made,
                                         const CheckpointIdentity& identity) {
  try {
    return fill(path, identity);
  } catch (const CheckpointError& error) {
    if (error.kind() == Kind::locked) throw;
    if (id_at(path) != made) throw renamed(path);
    unlink(path.c_str());
    unlink((path + "-journal").c_str());
    throw;
  }
}

void verify(sqlite::Connection& db) {
  {
    auto row = db.statement("PRAGMA quick_check(1)");
    if (!row.next() || row.bytes(0) != "ok") {
      throw sqlite::Damaged(db.path(), "SQLite finds it malformed");
    }
  }
  contents::require_windows(db);
  for (const Window& window : window_rows::all(db)) {
    if (!is_unfinished(window)) continue;
    contents::read(db, window);
    contents::receipts(db, window);
  }
}

std::unique_ptr<sqlite::Connection> adopt(const std::string& path,
                                          const CheckpointIdentity& identity) {
  auto db = connect(path);
  sqlite::Transaction transaction(*db);
  require_still_there(*db);
  require_ours(*db, identity);
  verify(*db);
  db->statement("DELETE FROM window WHERE state = 1 AND messages = 0").run();
  // Written at every opening: whether the journal and the disk can take it shows before anything is
  // received.
  db->statement("UPDATE meta SET openings = openings + 1").run();
  transaction.commit();
  return db;
}

/// `weakly_canonical` of a file that another process renames meanwhile is an error.
std::filesystem::path followed(const std::filesystem::path& path, std::error_code& error) {
  if (std::filesystem::is_symlink(path, error)) {
    return std::filesystem::weakly_canonical(path, error);
  }
  return std::filesystem::weakly_canonical(path.parent_path(), error) / path.filename();
}

std::string resolved(const std::string& given) {
  // SQLite names the journal after what a link leads to; so does what is renamed here.
  std::error_code error;
  const auto path = followed(std::filesystem::absolute(given), error);
  if (error) throw CheckpointError(Kind::unwritable, subject(given) + error.message());
  if (disk_space(path.parent_path()).network) {
    throw CheckpointError(
        Kind::unwritable,
        subject(path) + "is on a network file system, where no lock can be trusted");
  }
  return path;
}

/// Why the file that is there cannot be used; empty when it is open in `db`.
std::string objection_to(const std::string& path, const CheckpointIdentity& identity,
                         std::unique_ptr<sqlite::Connection>& db) {
  try {
    db = adopt(path, identity);
    return "";
  } catch (const sqlite::Damaged& damage) {
    return "was damaged (" + damage.reason() + ")";
  } catch (const Unsuitable& file) {
    return file.because;
  } catch (const std::bad_alloc&) {
    // SQLite's answer to a damaged length. Were it true, the file would be lost and no data.
    return "was damaged (SQLite finds no memory for what it holds)";
  }
}

Opened open_or_replace(const std::string& path, const CheckpointIdentity& identity,
                       std::int64_t wall_ms) {
  if (const auto made = make_file(path)) return {make(path, *made, identity), ""};
  Opened opened;
  const FileId judged = file_id(path);
  const std::string objection = objection_to(path, identity, opened.db);
  if (objection.empty()) return opened;
  const std::string kept = put_aside(path, judged, wall_ms);
  const auto made = make_file(path);
  if (!made)
    throw CheckpointError(Kind::locked, subject(path) + "another process made it just now");
  opened.db = make(path, *made, identity);
  opened.set_aside =
      std::filesystem::path(path).filename().string() + " " + objection + " and is kept as " + kept;
  return opened;
}

}  // namespace

Opened open_file(const std::string& given, const CheckpointIdentity& identity,
                 std::int64_t wall_ms) {
  const std::string path = resolved(given);
  const std::optional<FileId> found = id_at(path);
  try {
    return open_or_replace(path, identity, wall_ms);
  } catch (const CheckpointError& error) {
    // Asked only now that nothing of ours is open any more: see the danger in file_lock.h.
    const auto holder = lock_holder(path);
    if (holder) throw CheckpointError(Kind::locked, subject(path) + "held by " + *holder);
    // Whatever SQLite says of a file that is renamed while it looks, that is the cause.
    if (error.kind() != Kind::disk_full && id_at(path) != found) throw renamed(path);
    throw;
  }
}

}  // namespace sluice
