// SPDX-License-Identifier: Apache-2.0
// Rejections on their way from their table to the dead-letter queue, after the load that rejected
// them: at least once, and by one worker at a time.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "job/warehouse/connection.h"
#include "job/warehouse/dead_letters.h"
#include "job/warehouse/transaction.h"
#include "job/warehouse/warehouse.h"

namespace sluice {

/// The body that was sealed for this message; none when the key is not there, or when these are
/// other bytes.
using Unsealer = std::function<std::optional<std::string>(
    std::string_view key_id, const MessageId& id, std::string_view bytes)>;

/// Where rejections go beside their table. `letters` must outlive whoever holds this.
struct Forwarding {
  DeadLetters* letters = nullptr;
  Unsealer unseal;
};

/// By whom rejections are forwarded.
struct Forwarder {
  Connection& connection;
  const std::string& pipeline;
  const Forwarding& forwarding;
  const LoadLimits& limits;
};

/// Only what was rejected while the pipeline said so is forwarded (`to_forward`): else switching it
/// on would send a whole history. Throw PostgresError, or the Failure of `letters`; the connection
/// is then to be thrown away.
ForwardResult forward_window(const Forwarder& by, const SealedWindow& window);
/// Whatever is not forwarded long after it was rejected: at most ten thousand, the oldest.
ForwardResult forward_stale(const Forwarder& by);

}  // namespace sluice
