// SPDX-License-Identifier: Apache-2.0
// A connection to Postgres on which nothing waits without a limit: each wait ends with an answer,
// at its deadline, or when the interrupt is raised.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "job/warehouse/connection_options.h"
#include "job/warehouse/interrupt.h"
#include "job/warehouse/postgres_error.h"
#include "job/warehouse/result.h"

namespace sluice {

enum class Format { text, binary };

/// Every call throws PostgresError. `doing` ("creating the ledger's days") begins its message;
/// where it was done is added. After a lost connection, a deadline or an interrupt the connection
/// is closed and must be made anew.
class Connection {
 public:
  /// Longest wait of ours for an answer; the server's own statement_timeout should end it before.
  static constexpr std::int64_t kStatementLimitMs = 630'000;

  /// By `conninfo`, or libpq's environment when empty, with the defaults of connection_options.h.
  /// The host name is resolved by libpq, which no interrupt ends.
  /// No host may take longer than `connect_limit_ms`, nor than the user's connect_timeout.
  Connection(const std::string& conninfo, const Interrupt& interrupt,
             std::int64_t connect_limit_ms = kStatementLimitMs);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Where it leads: of all hosts that were offered, the one that answered.
  struct Place {
    std::string host;  // or the folder of a socket
    std::string port;
    std::string database;
  };
  const Place& place() const { return place_; }

  /// One or several statements without parameters; the answer of the last.
  Result execute(const std::string& sql, std::string_view doing,
                 std::int64_t limit_ms = kStatementLimitMs);
  Result query(const std::string& sql, std::span<const Parameter> parameters,
               std::string_view doing, Format format = Format::text,
               std::int64_t limit_ms = kStatementLimitMs);
  /// True only for the tag COMMIT without any WARNING; false is in doubt, and so is a
  /// PostgresError.
  [[nodiscard]] bool commit(std::int64_t limit_ms);

  /// The parts of a COPY FROM STDIN; CopyStream puts them together.
  void begin_copy(const std::string& sql, std::string_view doing);
  /// False when the server has said something in the meantime, which during a COPY is an error.
  [[nodiscard]] bool put_copy(std::string_view chunk, std::string_view doing);
  std::uint64_t end_copy(std::string_view doing);

 private:
  struct Wait;
  void connect(const ConnectionOptions& options, std::int64_t limit_ms);
  short poll(short events, const Wait& wait);
  void send(int status, const Wait& wait);
  void flush(const Wait& wait);
  Result finish(const Wait& wait);
  Wait begin(std::string_view doing, std::int64_t limit_ms, bool may_cancel = true) const;
  [[noreturn]] void give_up(const Wait& wait, std::string_view cause);
  void cancel() noexcept;
  void close() noexcept;

  const Interrupt& interrupt_;
  pg_conn* connection_ = nullptr;
  Place place_;
  unsigned warnings_ = 0;  // since `commit` began
  bool spoken_ = false;    // the server has sent something since the COPY began
};

}  // namespace sluice
