// SPDX-License-Identifier: Apache-2.0
#include "bench/load_database.h"

#include <algorithm>
#include <vector>

#include "bench/login_windows.h"
#include "job/base/clock.h"
#include "job/base/file.h"
#include "job/warehouse/ledger_days.h"
#include "job/warehouse/migrate.h"

namespace sluice {
namespace {

constexpr std::int64_t kRetentionS = 86'400;
constexpr std::size_t kMostDdl = 1 << 20;
constexpr std::uint64_t kFillWindow = 100'000;

}  // namespace

// Full-page images and checkpoints as in production: the cluster of the tests has neither.
DurableCluster::DurableCluster() : OwnCluster(SLUICE_SOURCE_DIR) {
  for (const char* setting : {"fsync = on", "full_page_writes = on", "shared_buffers = '1GB'",
                              "max_wal_size = '1GB'", "checkpoint_timeout = '5min'"}) {
    TestSession(conninfo("postgres")).run(std::string("ALTER SYSTEM SET ") + setting);
  }
  halt("fast");
  resume();
}

std::string DurableCluster::settings() const {
  return TestSession(conninfo("postgres"))
      .value(
          "SELECT 'PostgreSQL ' || current_setting('server_version') || ', ' ||"
          " string_agg(name || ' ' || current_setting(name), ', ' ORDER BY name)"
          " FROM pg_settings WHERE name IN ('fsync', 'full_page_writes',"
          " 'shared_buffers', 'max_wal_size', 'wal_level', 'autovacuum')");
}

LoadDatabase::LoadDatabase(const TestCluster& cluster) : TestDatabase(cluster) {
  const Interrupt never;
  Connection owner(conninfo(), never);
  migrate(owner);
  prepare_days(owner, LoginWindows::kFirstArrivalMs, kRetentionS);
  run(read_file(SLUICE_SOURCE_DIR "/pipelines/user_logins/user_logins.sql", kMostDdl, "the table"));
  loader_ = make_loader();
  run("CREATE TABLE public.bare (LIKE public.user_logins INCLUDING ALL);"
      "GRANT INSERT ON public.user_logins, public.bare TO " +
      loader_);
}

ServerProcesses LoadDatabase::processes(int backend) {
  std::vector<int> background;
  for (const Row& row : rows("SELECT pid FROM pg_stat_activity"
                             " WHERE backend_type IN ('checkpointer', 'walwriter')"))
    background.push_back(std::stoi(row[0]));
  return {std::stoi(value("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)")), backend,
          background};
}

void LoadDatabase::refill(std::uint64_t ids, std::int64_t jitter_ms) {
  run("TRUNCATE sluice.loaded_message, sluice.loaded_window, sluice.rejected_message,"
      " public.user_logins, public.bare");
  for (std::uint64_t first = 0; first < ids; first += kFillWindow) {
    run("INSERT INTO sluice.loaded_message (sent_at, message_id, pipeline)"
        " SELECT date_trunc('milliseconds', timestamptz '" +
        rfc3339(LoginWindows::kFirstArrivalMs) + "' + n / " +
        std::to_string(LoginWindows::kArrivalsPerSecond) + ".0 * interval '1 s' - random() * " +
        std::to_string(jitter_ms) +
        " * interval '1 ms') AS sent_at, gen_random_uuid(),"
        " 'user_logins' FROM generate_series(" +
        std::to_string(first) + ", " + std::to_string(std::min(first + kFillWindow, ids) - 1) +
        ") AS n ORDER BY 1, 2");
  }
}

}  // namespace sluice
