// SPDX-License-Identifier: Apache-2.0
// A machine of its own to be root of, as far as processes and files go: this one's files, with
// whatever is written kept in memory, and a process 1 of its own. It shares the network. Nothing of
// it is left when it is destroyed, or when the test is killed.
#pragma once

#include <cstdio>
#include <string>

#include <sys/types.h>

#include "tests/support/program.h"

namespace sluice {

class OwnMachine {
 public:
  /// Why it cannot be had here; empty when it can. Needs root, and rights that a container may
  /// forbid.
  static std::string obstacle();

  /// `init`, a line of shell without single quotes, becomes its process 1.
  explicit OwnMachine(const std::string& init);
  ~OwnMachine();
  OwnMachine(const OwnMachine&) = delete;
  OwnMachine& operator=(const OwnMachine&) = delete;

  /// What stands in its file of this path.
  std::string read(const std::string& path) const;
  /// By root, with folders where they are missing.
  void write(const std::string& path, const std::string& content, mode_t mode = 0644) const;
  /// `from` is a file of the machine around it; its mode stays.
  void copy(const std::string& from, const std::string& path) const;
  /// `sh -e` as its root: both outputs together in `out`.
  Outcome shell(const std::string& script) const;
  /// The same, which must end with 0, or std::runtime_error says what it said.
  std::string run(const std::string& script) const;

 private:
  std::string outside(const std::string& path) const;

  std::string folder_;
  FILE* keeper_;     // its end of a pipe: the machine lives as long as we do
  pid_t init_ = -1;  // as seen from here
};

}  // namespace sluice
