// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/migrate.h"

#include "job/warehouse/migrations.h"
#include "job/warehouse/schema.h"

namespace sluice {
namespace {

constexpr std::int64_t kCommitLimitMs = 120'000;

std::string record_of(const Migration& migration) {
  return "INSERT INTO sluice.migration (version, name) VALUES (" +
         std::to_string(migration.version()) + ", '" + std::string(migration.name) + "')";
}

void commit(Connection& connection, std::string_view doing) {
  if (!connection.commit(kCommitLimitMs)) {
    throw Failure(Fault::temporary, std::string(doing) + ": COMMIT is in doubt",
                  "run the command again");
  }
}

/// False when another process has applied it in the meantime.
bool apply(Connection& connection, const Migration& migration) {
  const std::string doing = "applying migration " + std::string(migration.name);
  connection.execute("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('sluice.migrate', 0))",
                     doing);
  const bool missing = schema_version(connection) < migration.version();
  if (missing) {
    connection.execute(std::string(migration.sql), doing);
    connection.execute(record_of(migration), doing);
  }
  commit(connection, doing);
  return missing;
}

}  // namespace

int migrate(Connection& connection) {
  const int version = schema_version(connection);
  if (version > schema_version_of_program()) {
    throw Failure(Fault::configuration,
                  "migrating schema sluice: it is version " + std::to_string(version) +
                      ", this program knows " + std::to_string(schema_version_of_program()),
                  "use a newer sluice");
  }
  int applied = 0;
  for (const Migration& migration : migrations()) {
    if (migration.version() > version && apply(connection, migration)) ++applied;
  }
  return applied;
}

std::string migration_script() {
  std::string script;
  for (const Migration& migration : migrations()) {
    script +=
        "BEGIN;\n" + std::string(migration.sql) + "\n" + record_of(migration) + ";\nCOMMIT;\n\n";
  }
  return script;
}

void run_script(Connection& connection, const std::string& sql, std::string_view name) {
  const std::string doing = "running " + std::string(name);
  connection.execute("BEGIN", doing);
  connection.execute(sql, doing);
  commit(connection, doing);
}

}  // namespace sluice
