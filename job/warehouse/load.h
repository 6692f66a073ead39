// SPDX-License-Identifier: Apache-2.0
// One window in one transaction, step by step; ARCHITECTURE.md says why it begins with the window
// id.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "job/config/pipeline.h"
#include "job/warehouse/connection.h"
#include "job/warehouse/recent_keys.h"
#include "job/warehouse/transaction.h"
#include "job/warehouse/warehouse.h"

namespace sluice {

/// A body under the key that opens it.
struct SealedRow {
  std::string key_id;
  std::string bytes;
};
/// Seals the masked rows of a message that Postgres refused; `bytes` are a batch of one
/// (checkpoint/staged.h), which `unpack` reads.
using Sealer = std::function<SealedRow(std::string_view bytes, const MessageKey& key)>;

/// What windows tell about the next one: only what is tried first, never what is true.
struct LoadHints {
  RecentKeys loaded{};
  bool duplicates = false;  // the last window held one that nothing had announced
};

/// For whom windows are loaded.
struct Loader {
  const Pipeline& pipeline;
  const std::string& run_id;
  const Sealer& seal;
  const LoadLimits& limits;
  LoadHints& hints;
};

/// Throws PostgresError when nothing is known to be committed; the connection is then to be thrown
/// away.
LoadResult load_window(Connection& connection, const Loader& loader, const SealedWindow& window,
                       bool only_if_committed);

}  // namespace sluice
