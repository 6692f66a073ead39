// SPDX-License-Identifier: Apache-2.0
// What Postgres's error codes mean for a run: one table, by SQLSTATE.
#pragma once

#include <string>
#include <string_view>

#include "job/base/failure.h"

struct pg_conn;
struct pg_result;

namespace sluice {

/// What may be told of an error: names and codes. DETAIL and most primary messages hold values of
/// rows and stay out.
struct Diagnosis {
  std::string sqlstate;  // empty when the connection was lost
  std::string column;
  std::string constraint;
  std::string context;  // holds "COPY table, line N, column c" for a refused row; never shown
};

/// A Failure with what a load needs to tell a refused row, a duplicate and a missing partition
/// apart.
class PostgresError : public Failure {
 public:
  PostgresError(Failure failure, Diagnosis diagnosis)
      : Failure(std::move(failure)), diagnosis_(std::move(diagnosis)) {}
  const Diagnosis& diagnosis() const { return diagnosis_; }
  bool is(std::string_view sqlstate) const { return diagnosis_.sqlstate == sqlstate; }

 private:
  Diagnosis diagnosis_;
};

/// `doing` says what was being done and where: "copying into public.user_logins in postgres db
/// at 10.0.0.5".
PostgresError statement_error(const pg_result* result, const std::string& doing);
/// The reason why a connection attempt ended. Expects PQERRORS_VERBOSE: libpq keeps no SQLSTATE for
/// these, but writes it into the text.
PostgresError connect_error(const pg_conn* connection, const std::string& doing);
/// The connection is gone; `cause` is a constant of ours: "connection lost".
PostgresError lost(const std::string& doing, std::string_view cause);

}  // namespace sluice
