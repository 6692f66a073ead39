// SPDX-License-Identifier: Apache-2.0
// SQLite: a connection, its statements, a transaction; and the one place where its errors become a
// CheckpointError.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "checkpoint/checkpoint.h"

struct sqlite3;
struct sqlite3_stmt;

namespace sluice::sqlite {

/// CheckpointError of kind `damaged`; the reason alone is what a file that is set aside is said to
/// have.
class Damaged : public CheckpointError {
 public:
  Damaged(const std::string& path, std::string reason)
      : CheckpointError(Kind::damaged, "checkpoint " + path + ": " + reason),
        reason_(std::move(reason)) {}
  const std::string& reason() const { return reason_; }

 private:
  std::string reason_;
};

/// CheckpointError of kind `unwritable`: a process died within a transaction, and what it left can
/// only be read once it is rolled back.
class HotJournal : public CheckpointError {
 public:
  explicit HotJournal(const std::string& path)
      : CheckpointError(Kind::unwritable,
                        "checkpoint " + path + ": a process died while it wrote to it") {}
};

/// Bytes for a column that is a BLOB; a string_view alone is TEXT.
struct Blob {
  std::string_view bytes;
};

class Connection;

/// A statement on loan from its connection; given back when destroyed. One loan of the same text at
/// a time.
class Statement {
 public:
  /// Values go to the parameters from left to right. Bytes are not copied: they must outlive the
  /// statement.
  template <typename... Values>
  Statement(Connection& connection, sqlite3_stmt* statement, const Values&... values)
      : connection_(connection), statement_(statement) {
    (bind(values), ...);
  }
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  bool next();  // true: a row is there
  /// To the end; how many rows it changed.
  int run();

  std::int64_t integer(int column) const;
  /// Until the next `next`.
  std::string_view bytes(int column) const;

 private:
  void bind(std::int64_t value);
  void bind(std::string_view text);
  void bind(Blob blob);

  Connection& connection_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

/// `read` changes nothing, whatever it finds, and takes no lock: whoever reads sees to it that
/// nobody wrote meanwhile.
enum class Access { read, write };

class Connection {
 public:
  /// The file must exist. Waits `wait_ms` for a lock that another holds.
  Connection(const std::string& path, int wait_ms, Access access = Access::write);

  const std::string& path() const { return path_; }

  /// Each text is compiled once.
  template <typename... Values>
  Statement statement(std::string_view sql, const Values&... values) {
    return Statement(*this, compiled(sql), values...);
  }
  /// Statements without parameters and without rows of interest.
  void execute(const char* sql);

  bool read_only() const;
  /// The path no longer leads to the file that is open here.
  bool has_moved() const;
  bool in_transaction() const;

  /// Throws what SQLite's latest error means for us.
  [[noreturn]] void fail() const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
    void operator()(sqlite3_stmt* statement) const;
  };
  sqlite3_stmt* compiled(std::string_view sql);

  std::string path_;
  std::unique_ptr<sqlite3, Close> handle_;
  std::map<std::string, std::unique_ptr<sqlite3_stmt, Close>, std::less<>> statements_;
};

/// BEGIN EXCLUSIVE; rolled back unless committed.
class Transaction {
 public:
  explicit Transaction(Connection& connection);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Connection& connection_;
};

}  // namespace sluice::sqlite
