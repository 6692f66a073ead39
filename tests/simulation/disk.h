// SPDX-License-Identifier: Apache-2.0
// The disks of the simulated machines: SQLite's own files below, and between them and SQLite a
// layer that fails, fills up, and forgets what was not synced. One folder is one machine.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/support/seeded_random.h"

namespace sluice::simulation {

class Disk {
 public:
  /// The one that SQLite uses from now on by default.
  static Disk& installed();

  /// What lies in `folder` belongs to this machine from now on, with nothing wrong.
  void add(const std::string& folder);
  void forget(const std::string& folder);

  /// The machine's `nth` write, from 1, and all that come after it fail. 0: none.
  void die_at_write(const std::string& folder, int nth);
  bool is_dead(const std::string& folder) const;
  /// No file grows.
  void fill(const std::string& folder, bool full);
  /// After a crash, with all files closed: of what was written and not synced a part is lost, as
  /// when the power goes. The machine is as new.
  void lose_unsynced(const std::string& folder, SeededRandom& random);
  /// After a crash that the machine survived.
  void revive(const std::string& folder);

  // For the layer.
  struct Write {
    std::int64_t at;
    std::string before;  // shorter when the file ended there
    std::string after;
    std::int64_t size_before;
  };
  struct Machine {
    int writes_left = 0;  // 0: no end is near
    bool dead = false;
    bool full = false;
    std::map<std::string, std::vector<Write>> unsynced;  // by file
  };
  Machine* machine_of(const std::string& file);

 private:
  Disk() = default;
  std::map<std::string, Machine> machines_;  // by folder
};

}  // namespace sluice::simulation
