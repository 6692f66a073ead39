// SPDX-License-Identifier: Apache-2.0
// SQLite's lock, seen and taken without SQLite.
//
// DANGER: when a process closes any descriptor of a file, the kernel drops every lock that the
// process holds on it. Use these only while this process holds no Checkpoint of the same file.
#pragma once

#include <optional>
#include <string>

namespace sluice {

/// Who keeps us from the file, and since when it runs: "process 4242, which began 17 min ago", as
/// far as the system tells; "another process" at least. None: nobody.
std::optional<std::string> lock_holder(const std::string& path);

/// All of SQLite's lock bytes, for a file that SQLite cannot or must not open.
class FileLock {
 public:
  explicit FileLock(const std::string& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  bool held() const { return held_; }

 private:
  int descriptor_;
  bool held_;
};

}  // namespace sluice
