// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/file_lock.h"

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

}  // namespace

std::optional<std::string> lock_holder(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return std::nullopt;
  struct flock found = lock_bytes(F_WRLCK);
  const bool asked = fcntl(descriptor, F_GETLK, &found) == 0;
  close(descriptor);
  if (!asked || found.l_type == F_UNLCK) return std::nullopt;
  // A holder in another PID namespace has no number here.
  return found.l_pid > 0 ? "process " + std::to_string(found.l_pid) : "another process";
}

FileLock::FileLock(const std::string& path) : descriptor_(open(path.c_str(), O_RDWR | O_CLOEXEC)) {
  struct flock wanted = lock_bytes(F_WRLCK);
  held_ = descriptor_ >= 0 && fcntl(descriptor_, F_SETLK, &wanted) == 0;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace sluice
