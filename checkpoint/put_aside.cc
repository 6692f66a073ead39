// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/put_aside.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint/checkpoint.h"
#include "checkpoint/file_lock.h"

namespace sluice {
namespace {

using Kind = CheckpointError::Kind;

[[noreturn]] void unwritable(const std::string& path, const std::string& cause) {
  throw CheckpointError(Kind::unwritable, "checkpoint " + path + ": " + cause);
}

void rename_or_throw(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0 && errno != ENOENT) {
    unwritable(from, "cannot be renamed, " + std::generic_category().message(errno));
  }
}

}  // namespace

FileId file_id(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) unwritable(path, std::generic_category().message(errno));
  if (S_ISDIR(status.st_mode)) unwritable(path, "is a folder");
  if (!S_ISREG(status.st_mode)) unwritable(path, "is no regular file");
  return {status.st_dev, status.st_ino};
}

std::string put_aside(const std::string& path, const FileId& judged, std::int64_t wall_ms) {
  const FileLock lock(path);
  if (!lock.held() || file_id(path) != judged) {
    throw CheckpointError(Kind::locked, "checkpoint " + path + ": another process has it by now");
  }
  std::string kept;
  do {
    kept = path + ".set-aside-" + std::to_string(wall_ms++);
  } while (std::filesystem::exists(kept));
  // The journal first: left behind alone, SQLite would roll it back into the fresh file.
  rename_or_throw(path + "-journal", kept + "-journal");
  rename_or_throw(path, kept);
  sync_folder_of(path);
  return std::filesystem::path(kept).filename();
}

void sync_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path();
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && fsync(descriptor) == 0;
  if (descriptor >= 0) close(descriptor);
  if (!synced) unwritable(path, "its folder cannot be synced");
}

}  // namespace sluice
