// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/migrate.h"

#include <boost/json.hpp>

#include "job/base/failure.h"
#include "job/base/file.h"
#include "job/cli/command.h"
#include "job/cli/preflight.h"
#include "job/warehouse/ledger_days.h"
#include "job/warehouse/schema.h"

namespace sluice {
namespace {

constexpr std::size_t kLargestDdl = 1 << 20;

std::string ddl_of(const Settings& settings) {
  const Pipeline pipeline = pipeline_of(settings);
  if (pipeline.ddl_path.empty()) {
    throw Failure(Fault::configuration,
                  "pipeline file " + settings.text("pipeline") + ": names no ddl",
                  "add \"ddl\": \"tables.sql\", or leave --with-tables out");
  }
  return read_file(pipeline.ddl_path, kLargestDdl, "ddl");
}

}  // namespace

int migrate_command(const Settings& settings, const Environment&) {
  const bool with_tables = settings.flag("with-tables");
  const std::string ddl = with_tables ? ddl_of(settings) : "";
  if (settings.flag("print-sql")) {
    print(migration_script() + ddl);
    return kExitOk;
  }
  const Interrupt interrupt;
  Connection connection(settings.text("postgres"), interrupt);
  const int applied = migrate(connection);
  if (with_tables) run_script(connection, ddl, "the pipeline's ddl");
  const int dropped = prune_ledger(connection, dedup_days(settings));
  if (settings.flag("json")) {
    print(boost::json::serialize(boost::json::object{{"version", schema_version_of_program()},
                                                     {"applied", applied},
                                                     {"ledger_days_dropped", dropped}}) +
          "\n");
  } else if (!settings.flag("quiet")) {
    print("schema sluice: version " + std::to_string(schema_version_of_program()) + ", " +
          std::to_string(applied) + " migrations applied, " + std::to_string(dropped) +
          " ledger days past the horizon dropped\n");
    if (with_tables) print("tables of the pipeline: made where they were missing\n");
  }
  return kExitOk;
}

}  // namespace sluice
