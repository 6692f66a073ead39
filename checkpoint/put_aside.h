// SPDX-License-Identifier: Apache-2.0
// Renaming a file that no run can use, so that a person can look at it.
#pragma once

#include <cstdint>
#include <string>

#include <sys/types.h>

namespace sluice {

/// Which file a path led to. A name may lead to another file a moment later.
struct FileId {
  dev_t device;
  ino_t inode;
  bool operator==(const FileId&) const = default;
};
/// CheckpointError{unwritable} when there is no regular file.
FileId file_id(const std::string& path);

/// Renames `path` and its journal to `<path>.set-aside-<wall_ms>…` and tells the new name of the
/// file, without folder. CheckpointError{locked} when the path leads to another file by now, or
/// when another process holds the lock.
std::string put_aside(const std::string& path, const FileId& judged, std::int64_t wall_ms);

/// Makes new and changed names in the folder of `path` durable.
void sync_folder_of(const std::string& path);

}  // namespace sluice
