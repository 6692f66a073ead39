// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/sqlite.h"

#include <cerrno>
#include <new>
#include <stdexcept>
#include <system_error>

#include <sqlite3.h>

namespace sluice::sqlite {
namespace {

/// A quota and a file size limit stand in the way like a full disk; SQLite tells them as plain I/O
/// errors.
bool no_room(int system_error) {
  return system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG;
}

/// SQLite takes a null address for NULL, even with a length of 0.
const char* address(std::string_view bytes) { return bytes.empty() ? "" : bytes.data(); }

[[noreturn]] void raise(const std::string& path, int code, int system_error, const char* message) {
  using Kind = CheckpointError::Kind;
  const std::string subject = "checkpoint " + path + ": ";
  switch (code & 0xff) {  // the primary code; the rest says where in SQLite it happened
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw CheckpointError(Kind::locked, subject + "held by another process");
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_FORMAT:
    case SQLITE_ERROR:  // our statements are constant: a table or column is missing
      throw Damaged(path, message);
    case SQLITE_FULL:
      throw CheckpointError(Kind::disk_full, subject + "no room left on the disk");
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      throw CheckpointError(
          no_room(system_error) ? Kind::disk_full : Kind::unwritable,
          subject + message + ", " + std::generic_category().message(system_error));
    case SQLITE_READONLY:
      if (code == SQLITE_READONLY_ROLLBACK) throw HotJournal(path);
      // We opened it to be written, and that went well: its header says that it was made by a
      // SQLite to come.
      if (code == SQLITE_READONLY) throw Damaged(path, message);
      [[fallthrough]];
    case SQLITE_PERM:
      throw CheckpointError(Kind::unwritable, subject + message);
    case SQLITE_NOMEM:
      throw std::bad_alloc();
    default:
      throw std::logic_error(subject + message);
  }
}

}  // namespace

Statement::~Statement() { sqlite3_reset(statement_); }

void Statement::bind(std::int64_t value) {
  if (sqlite3_bind_int64(statement_, ++bound_, value) != SQLITE_OK) connection_.fail();
}

void Statement::bind(std::string_view text) {
  if (sqlite3_bind_text64(statement_, ++bound_, address(text), text.size(), SQLITE_STATIC,
                          SQLITE_UTF8) != SQLITE_OK) {
    connection_.fail();
  }
}

void Statement::bind(Blob blob) {
  if (sqlite3_bind_blob64(statement_, ++bound_, address(blob.bytes), blob.bytes.size(),
                          SQLITE_STATIC) != SQLITE_OK) {
    connection_.fail();
  }
}

bool Statement::next() {
  switch (sqlite3_step(statement_)) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      connection_.fail();
  }
}

int Statement::run() {
  while (next()) {
  }
  return sqlite3_changes(sqlite3_db_handle(statement_));
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string_view Statement::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  if (data == nullptr) {
    // An empty value and a failed allocation look alike.
    if (sqlite3_errcode(sqlite3_db_handle(statement_)) == SQLITE_NOMEM) throw std::bad_alloc();
    return {};
  }
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

void Connection::Close::operator()(sqlite3* handle) const { sqlite3_close(handle); }
void Connection::Close::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Connection::Connection(const std::string& path, int wait_ms, Access access) : path_(path) {
  sqlite3* handle = nullptr;
  const bool read = access == Access::read;
  const int flags = (read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX |
                    SQLITE_OPEN_EXRESCODE;
  // "unix-none": as always, without locks (https://www.sqlite.org/vfs.html).
  const int opened = sqlite3_open_v2(path.c_str(), &handle, flags, read ? "unix-none" : nullptr);
  handle_.reset(handle);
  if (handle == nullptr) throw std::bad_alloc();
  if (opened != SQLITE_OK) fail();
  sqlite3_busy_timeout(handle, wait_ms);
}

sqlite3_stmt* Connection::compiled(std::string_view sql) {
  const auto known = statements_.find(sql);
  if (known != statements_.end()) return known->second.get();
  sqlite3_stmt* made = nullptr;
  if (sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &made, nullptr) != SQLITE_OK) {
    fail();
  }
  return statements_.emplace(sql, made).first->second.get();
}

void Connection::execute(const char* sql) {
  if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

bool Connection::read_only() const { return sqlite3_db_readonly(handle_.get(), "main") == 1; }

bool Connection::has_moved() const {
  int moved = 0;
  sqlite3_file_control(handle_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return moved != 0;
}

bool Connection::in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }

void Connection::fail() const {
  const int code = sqlite3_errcode(handle_.get());
  // When a COMMIT fails, only the file knows why.
  int system_error = sqlite3_system_errno(handle_.get());
  if (system_error == 0) {
    sqlite3_file_control(handle_.get(), "main", SQLITE_FCNTL_LAST_ERRNO, &system_error);
  }
  raise(path_, code, system_error, sqlite3_errmsg(handle_.get()));
}

Transaction::Transaction(Connection& connection) : connection_(connection) {
  connection_.statement("BEGIN EXCLUSIVE").run();
}

Transaction::~Transaction() {
  if (!connection_.in_transaction()) return;  // committed, or SQLite rolled back by itself
  try {
    connection_.statement("ROLLBACK").run();
  } catch (const std::exception&) {
    // SQLite rolls back when the file is next used: the journal is hot.
  }
}

void Transaction::commit() { connection_.statement("COMMIT").run(); }

}  // namespace sluice::sqlite
