// SPDX-License-Identifier: Apache-2.0
// From a path to a file that is ours, locked and verified.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "checkpoint/sqlite.h"

namespace sluice {

struct Opened {
  std::unique_ptr<sqlite::Connection> db;
  std::string set_aside;  // one sentence, or empty
};

/// Opens or makes; see Checkpoint's constructor.
Opened open_file(const std::string& path, const CheckpointIdentity& identity, std::int64_t wall_ms);

}  // namespace sluice
