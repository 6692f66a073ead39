// SPDX-License-Identifier: Apache-2.0
// What a Postgres server has computed so far, by process.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

/// Nanoseconds on a processor.
struct ServerCpu {
  std::int64_t backend = 0;     // of one session
  std::int64_t background = 0;  // checkpointer and walwriter: work that the backend left to them
  std::int64_t others = 0;      // autovacuum and whatever else runs
};
ServerCpu operator-(const ServerCpu& later, const ServerCpu& earlier);

class ServerProcesses {
 public:
  ServerProcesses(int postmaster, int backend, std::vector<int> background);
  ServerCpu cpu() const;

 private:
  int postmaster_;
  int backend_;
  std::vector<int> background_;
};

/// Of this process, all threads.
std::int64_t own_cpu_ns();

}  // namespace sluice
