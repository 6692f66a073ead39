// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/schema.h"

#include "job/warehouse/migrations.h"

namespace sluice {
namespace {

constexpr std::string_view kServer = "looking at the server";
constexpr std::string_view kDoing = "looking at schema sluice";

Finding wrong(Fault fault, std::string thing, std::string text, std::string hint) {
  return {.ok = false,
          .fault = fault,
          .thing = std::move(thing),
          .text = std::move(text),
          .hint = std::move(hint)};
}

Finding check_server(Connection& connection) {
  const Result product = connection.execute("SELECT version()", kServer);
  const std::string thing = "postgres server";
  // They speak the protocol, but the load rests on keys that are enforced and on inserts that wait.
  for (const std::string_view other : {"Redshift", "CockroachDB"}) {
    if (product.at(0, 0).find(other) == std::string_view::npos) continue;
    return wrong(Fault::configuration, thing,
                 "it is " + std::string(other) + ", which sluice cannot load exactly once",
                 "use PostgreSQL 15 or newer, or a service that is built on it");
  }
  const Result server = connection.execute(
      "SELECT current_setting('server_encoding'), pg_is_in_recovery(),"
      " current_setting('transaction_read_only')::boolean, split_part(version(), ' on ', 1)",
      kServer);
  if (server.at(0, 0) != "UTF8") {
    return wrong(Fault::configuration, thing,
                 "the database's encoding is " + std::string(server.at(0, 0)),
                 "use a database with encoding UTF8");
  }
  if (server.bool_at(0, 1) || server.bool_at(0, 2)) {
    return wrong(Fault::temporary, thing,
                 server.bool_at(0, 1) ? "it is a standby" : "it is read-only",
                 "point at the primary");
  }
  return {.thing = thing, .text = std::string(server.at(0, 3))};
}

Finding check_version(Connection& connection) {
  const std::string thing = "schema sluice";
  const Result access = connection.execute(
      "SELECT has_schema_privilege(oid, 'USAGE') FROM pg_catalog.pg_namespace WHERE nspname = "
      "'sluice'",
      kDoing);
  if (access.rows() > 0 && !access.bool_at(0, 0)) {
    return wrong(Fault::rights, thing, "no right to use it",
                 "grant sluice_loader to the user of this run");
  }
  const int ours = schema_version_of_program();
  const int theirs = schema_version(connection);
  if (theirs == 0) return wrong(Fault::configuration, thing, "missing", "run `sluice migrate`");
  const std::string versions =
      "version " + std::to_string(theirs) + ", this program needs " + std::to_string(ours);
  if (theirs < ours) return wrong(Fault::configuration, thing, versions, "run `sluice migrate`");
  if (theirs > ours) return wrong(Fault::configuration, thing, versions, "use a newer sluice");
  return {.thing = thing, .text = "version " + std::to_string(theirs)};
}

/// Asks for what a load does; the role sluice_loader has all of it.
Finding check_rights(Connection& connection) {
  const Result missing = connection.execute(
      "SELECT privilege || ' on ' || relation FROM (VALUES"
      " ('sluice.identity', 'SELECT'), ('sluice.run', 'INSERT'), ('sluice.run', 'UPDATE'),"
      " ('sluice.loaded_window', 'SELECT'), ('sluice.loaded_window', 'INSERT'), "
      "('sluice.loaded_window', 'UPDATE'),"
      " ('sluice.loaded_message', 'SELECT'), ('sluice.loaded_message', 'INSERT'), "
      "('sluice.rejected_message', 'SELECT'), ('sluice.rejected_message', 'INSERT'), "
      "('sluice.rejected_message', 'UPDATE')"
      ") AS needed(relation, privilege) WHERE NOT has_any_column_privilege(relation, privilege)"
      " UNION ALL SELECT 'EXECUTE on sluice.add_days'"
      " WHERE NOT has_function_privilege('sluice.add_days(date, date)', 'EXECUTE')",
      kDoing);
  const std::string thing = "rights on schema sluice";
  if (missing.rows() == 0) return {.thing = thing, .text = "enough to load"};
  return wrong(Fault::rights, thing, "no right to " + std::string(missing.at(0, 0)),
               "grant sluice_loader to the user of this run");
}

}  // namespace

int schema_version_of_program() { return static_cast<int>(migrations().size()); }

int schema_version(Connection& connection) {
  // Not to_regclass: it may answer from a cache that predates a wait for the migration lock.
  const Result table = connection.execute(
      "SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = "
      "c.relnamespace"
      " WHERE n.nspname = 'sluice' AND c.relname = 'migration'",
      kDoing);
  if (table.rows() == 0) return 0;
  const Result version =
      connection.execute("SELECT coalesce(max(version), 0) FROM sluice.migration", kDoing);
  return static_cast<int>(version.number_at(0, 0));
}

std::vector<Finding> check_schema(Connection& connection) {
  std::vector<Finding> findings;
  for (const auto check : {check_server, check_version, check_rights}) {
    findings.push_back(check(connection));
    if (!findings.back().ok) break;
  }
  return findings;
}

std::string read_identity(Connection& connection) {
  const Result identity =
      connection.execute("SELECT id FROM sluice.identity", "reading the database's identity");
  if (identity.rows() != 1) {
    throw Failure(Fault::configuration,
                  "reading the database's identity: sluice.identity has no row",
                  "restore it: a checkpoint is bound to its id");
  }
  return std::string(identity.at(0, 0));
}

}  // namespace sluice
