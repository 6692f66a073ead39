// SPDX-License-Identifier: Apache-2.0
// A Postgres of its own that is as durable as one in production, with the tables of
// pipelines/user_logins and the same target once more, bare.
#pragma once

#include <cstdint>
#include <string>

#include "bench/server_cpu.h"
#include "tests/support/postgres.h"

namespace sluice {

class DurableCluster : public OwnCluster {
 public:
  DurableCluster();
  /// fsync, shared_buffers and what else changes the figures.
  std::string settings() const;
};

class LoadDatabase : public TestDatabase {
 public:
  explicit LoadDatabase(const TestCluster& cluster);

  std::string loader_conninfo() const { return conninfo(loader_); }
  ServerProcesses processes(int backend);
  /// Empties every table, and fills the ledger's day with this many ids, loaded as LoginWindows
  /// arrive: in sorted windows of 100,000.
  void refill(std::uint64_t ids, std::int64_t jitter_ms);

 private:
  std::string loader_;
};

}  // namespace sluice
