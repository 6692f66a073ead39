// SPDX-License-Identifier: Apache-2.0
// A real file system of a few MiB, in memory, that a test fills, empties and turns read-only under
// the program. It is mounted in a namespace of its own: needs the right to mount, as root or in a
// user namespace, which a container may forbid.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <sys/types.h>

namespace sluice {

class SmallDisk {
 public:
  /// Whether it can be had here.
  static bool is_allowed();

  /// Mounts it on `folder`, which is there. Only programs run with `before` see it.
  SmallDisk(std::string folder, int mib);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  /// The command that runs a program where the disk is.
  std::vector<std::string> before() const;
  /// The same folder for everybody else.
  std::string from_outside() const;

  /// Not a byte is free afterwards.
  void fill() const;
  void make_room() const;
  /// Throws while a process has a file open there for writing.
  void remount(const std::string& options) const;

 private:
  std::string folder_;
  FILE* holder_;  // its end of a pipe: the namespace lives as long as we do
  pid_t pid_ = 0;
};

}  // namespace sluice
