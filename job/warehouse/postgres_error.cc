// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/postgres_error.h"

#include <algorithm>
#include <array>

#include <libpq-fe.h>

#include "job/base/text.h"

namespace sluice {
namespace {

struct Meaning {
  std::string_view prefix;  // of the SQLSTATE; the first that fits counts
  Fault fault;
  bool tell;  // the primary message names things and cannot hold a value of a row
  std::string_view hint;
};

constexpr std::string_view kTable = "compare the table with the pipeline file";
constexpr std::string_view kFormat =
    "the table's columns are no longer those of the pipeline file; run `sluice check`";
constexpr std::string_view kLater = "run again later; nothing is lost";

// Source: PostgreSQL documentation, appendix A.
constexpr std::array kMeanings = {
    Meaning{"08P01", Fault::configuration, false, kFormat},  // a binary field too short
    Meaning{"22P03", Fault::configuration, false, kFormat},
    Meaning{"22P04", Fault::configuration, false, kFormat},
    Meaning{"08", Fault::temporary, true, kLater},
    Meaning{"0A", Fault::configuration, true, kTable},
    Meaning{"28", Fault::rights, true, "check user, password and the server's pg_hba.conf"},
    Meaning{"25006", Fault::temporary, true,
            "the server is read-only or a standby; point at the primary"},
    Meaning{"25P03", Fault::temporary, true, kLater},
    Meaning{"3D000", Fault::configuration, true, "check PGDATABASE or --postgres"},
    Meaning{"3F000", Fault::configuration, true, "run `sluice migrate`"},
    Meaning{"40", Fault::temporary, true, kLater},
    Meaning{"42501", Fault::rights, true,
            "grant the right to the user of this run; the role sluice_loader has those on schema "
            "sluice"},
    Meaning{"42", Fault::configuration, true,
            "run `sluice migrate`, or compare the table with the pipeline file"},
    Meaning{"53", Fault::temporary, true,
            "the server is short of memory, disk or connections; run again later"},
    Meaning{"55P03", Fault::temporary, true,
            "something holds a lock (see pg_locks); run again later"},
    Meaning{"55", Fault::temporary, true, kLater},
    Meaning{"57", Fault::temporary, true, kLater},
    Meaning{"58", Fault::temporary, true, kLater},
    Meaning{"XX", Fault::temporary, false, "look at the server's log"},
    Meaning{"", Fault::configuration, false, "look at the server's log for this SQLSTATE"},
};

const Meaning& meaning_of(std::string_view sqlstate) {
  return *std::ranges::find_if(kMeanings,
                               [&](const Meaning& m) { return sqlstate.starts_with(m.prefix); });
}

std::string field_of(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? "" : text;
}

PostgresError make(const std::string& doing, std::string_view primary, Diagnosis diagnosis) {
  const Meaning& meaning = meaning_of(diagnosis.sqlstate);
  std::string message = doing + ": ";
  if (meaning.tell) message += printable(primary) + " ";
  message += "(SQLSTATE " + diagnosis.sqlstate + ")";
  return {Failure(meaning.fault, std::move(message), std::string(meaning.hint)),
          std::move(diagnosis)};
}

/// The code and the sentence in "…: FATAL:  28P01: password authentication failed for user "u"".
/// The severity is in the server's language, the shape is not.
struct Fatal {
  std::string_view sqlstate;
  std::string_view primary;
};
Fatal fatal_in(std::string_view text) {
  constexpr std::string_view kBefore = ":  ";
  constexpr std::size_t kCode = 5;
  const auto is_code = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); };
  for (auto at = text.find(kBefore); at != text.npos; at = text.find(kBefore, at + 1)) {
    const std::string_view rest = text.substr(at + kBefore.size());
    if (rest.size() > kCode && rest.substr(kCode).starts_with(": ") &&
        std::ranges::all_of(rest.substr(0, kCode), is_code)) {
      const std::string_view primary = rest.substr(kCode + 2);
      return {rest.substr(0, kCode), primary.substr(0, primary.find('\n'))};
    }
  }
  return {};
}

}  // namespace

PostgresError statement_error(const pg_result* result, const std::string& doing) {
  Diagnosis diagnosis{field_of(result, PG_DIAG_SQLSTATE), field_of(result, PG_DIAG_COLUMN_NAME),
                      field_of(result, PG_DIAG_CONSTRAINT_NAME), field_of(result, PG_DIAG_CONTEXT)};
  if (diagnosis.sqlstate.empty()) return lost(doing, "connection lost");
  return make(doing, field_of(result, PG_DIAG_MESSAGE_PRIMARY), std::move(diagnosis));
}

PostgresError connect_error(const pg_conn* connection, const std::string& doing) {
  const std::string_view text = PQerrorMessage(connection);
  if (const Fatal fatal = fatal_in(text); !fatal.sqlstate.empty()) {
    return make(
        doing, fatal.primary,
        {.sqlstate = std::string(fatal.sqlstate), .column = {}, .constraint = {}, .context = {}});
  }
  const std::string message = doing + ": " + printable(trim_ascii(text.substr(0, text.find('\n'))));
  if (PQconnectionNeedsPassword(connection) != 0) {
    return {Failure(Fault::rights, message, "set PGPASSWORD, PGPASSFILE or a service file"), {}};
  }
  if (text.find("certificate") != text.npos) {
    return {Failure(Fault::configuration, message, "check sslmode, sslrootcert and the host name"),
            {}};
  }
  return {Failure(Fault::temporary, message, "check host, port and network; run again later"), {}};
}

PostgresError lost(const std::string& doing, std::string_view cause) {
  return {Failure(Fault::temporary, doing + ": " + std::string(cause), std::string(kLater)), {}};
}

}  // namespace sluice
