// SPDX-License-Identifier: Apache-2.0
#include "bench/server_cpu.h"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <unistd.h>

namespace sluice {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::string folder_of(int pid) { return "/proc/" + std::to_string(pid); }

/// Its first number counts nanoseconds; /proc/PID/stat counts in ticks of ten milliseconds. None
/// for a process that has ended.
std::int64_t cpu_of(int pid) {
  std::int64_t ns = 0;
  std::ifstream(folder_of(pid) + "/schedstat") >> ns;
  return ns;
}

/// Of children that have ended: fields 16 and 17 of proc(5), `stat`.
std::int64_t cpu_of_the_dead(int parent) {
  std::ifstream file(folder_of(parent) + "/stat");
  std::string line;
  std::getline(file, line);
  std::istringstream fields(line.substr(line.rfind(')') + 2));
  std::string skipped;
  for (int field = 3; field < 16; ++field) fields >> skipped;
  std::int64_t user = 0;
  std::int64_t system = 0;
  fields >> user >> system;
  return (user + system) * (kSecond / sysconf(_SC_CLK_TCK));
}

std::vector<int> children_of(int pid) {
  std::ifstream file(folder_of(pid) + "/task/" + std::to_string(pid) + "/children");
  std::vector<int> children;
  for (int child = 0; file >> child;) children.push_back(child);
  return children;
}

}  // namespace

ServerCpu operator-(const ServerCpu& later, const ServerCpu& earlier) {
  return {later.backend - earlier.backend, later.background - earlier.background,
          later.others - earlier.others};
}

ServerProcesses::ServerProcesses(int postmaster, int backend, std::vector<int> background)
    : postmaster_(postmaster), backend_(backend), background_(std::move(background)) {
  if (cpu_of(backend_) == 0) throw std::runtime_error("the kernel keeps no /proc/PID/schedstat");
}

ServerCpu ServerProcesses::cpu() const {
  ServerCpu cpu{.backend = cpu_of(backend_)};
  for (const int pid : background_) cpu.background += cpu_of(pid);
  cpu.others = cpu_of_the_dead(postmaster_);
  for (const int pid : children_of(postmaster_)) {
    if (pid != backend_ && std::ranges::find(background_, pid) == background_.end())
      cpu.others += cpu_of(pid);
  }
  return cpu;
}

std::int64_t own_cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}

}  // namespace sluice
