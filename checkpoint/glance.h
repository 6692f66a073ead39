// SPDX-License-Identifier: Apache-2.0
// What a checkpoint tells whoever does not work with it. It is in nobody's way: it takes no lock,
// writes nothing, and rolls nothing back that a killed run left half done.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace sluice {

struct CheckpointGlance {
  bool exists = false;
  /// A run holds it, or began with it while we looked. What it holds then is half written at any
  /// moment: nothing of it is told.
  bool locked = false;
  std::string holder;   // "process 4242" when locked
  std::string trouble;  // why none of it can be read: "checkpoint /x.db: it is empty"
  bool heals = false;   // that trouble goes by itself: the next run begins a fresh file

  CheckpointIdentity owner;
  std::vector<Window> windows;        // unfinished and set aside, by number
  std::vector<MessageKey> undeleted;  // of the loaded ones: still to be deleted
  std::uint64_t closed = 0;           // windows that are closed and not pruned
  std::uint64_t closed_messages = 0;  // which were deleted with them

  bool readable() const { return exists && !locked && trouble.empty(); }
};

/// Never throws for what the file is or is not.
CheckpointGlance glance_at(const std::string& path);

}  // namespace sluice
