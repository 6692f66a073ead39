// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/file_lock.h"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <unistd.h>

namespace sluice {
namespace {

/// SQLite locks bytes 0x40000000 to 0x400001ff, far behind the data: pending, reserved, 510 shared
/// (https://www.sqlite.org/fileformat2.html, "the lock-byte page"). An exclusive holder has them
/// all.
struct flock lock_bytes(short type) {
  struct flock bytes = {};
  bytes.l_type = type;
  bytes.l_whence = SEEK_SET;
  bytes.l_start = 0x40000000;
  bytes.l_len = 512;
  return bytes;
}

/// ", which began 17 min ago"; empty when the process cannot be seen.
std::string age_of(pid_t pid) {
  constexpr int kBehindName = 19;  // from the state, field 3, to the start, field 22: proc(5)
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  // The name, in parentheses, may hold anything.
  std::istringstream fields(line.substr(std::min(line.size(), line.rfind(')') + 1)));
  std::string skipped;
  for (int i = 0; i < kBehindName; ++i) fields >> skipped;
  long long ticks_after_boot = 0;
  timespec since_boot{};
  if (!(fields >> ticks_after_boot) || clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0) return "";
  const long long seconds = since_boot.tv_sec - ticks_after_boot / sysconf(_SC_CLK_TCK);
  constexpr long long kMinute = 60;
  return ", which began " +
         (seconds < 2 * kMinute ? std::to_string(seconds) + " s"
                                : std::to_string(seconds / kMinute) + " min") +
         " ago";
}

}  // namespace

std::optional<std::string> lock_holder(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return std::nullopt;
  struct flock found = lock_bytes(F_WRLCK);
  const bool asked = fcntl(descriptor, F_GETLK, &found) == 0;
  close(descriptor);
  if (!asked || found.l_type == F_UNLCK) return std::nullopt;
  // A holder in another PID namespace has no number here.
  if (found.l_pid <= 0) return "another process";
  return "process " + std::to_string(found.l_pid) + age_of(found.l_pid);
}

FileLock::FileLock(const std::string& path) : descriptor_(open(path.c_str(), O_RDWR | O_CLOEXEC)) {
  struct flock wanted = lock_bytes(F_WRLCK);
  held_ = descriptor_ >= 0 && fcntl(descriptor_, F_SETLK, &wanted) == 0;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace sluice
