// SPDX-License-Identifier: Apache-2.0
// sluice.loaded_message inside a load: which messages are in it already, and putting the others in.
// All functions take the messages sorted by key, and write them in that order: this is what keeps
// two loaders from deadlocking.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "checkpoint/staged.h"
#include "job/warehouse/connection.h"

namespace sluice {

using Messages = std::vector<const StagedMessage*>;

/// Which messages are worth a look: `copy_keys` and `insert_keys` find any other duplicate, but at
/// a higher price.
using MayBeKnown = std::function<bool(const StagedMessage&)>;

/// Those of `messages` that the ledger does not hold, as far as they are looked up.
Messages without_known(Connection& connection, const std::string& pipeline,
                       const Messages& messages, const MayBeKnown& may_be_known);

/// The fast way. PostgresError 23505 when one of them is in the ledger after all, 23514 when its
/// day is missing.
void copy_keys(Connection& connection, const std::string& pipeline, const Messages& messages);

/// The slow way, which always ends: puts in those that are new and returns them. PostgresError
/// 23514 as above.
Messages insert_keys(Connection& connection, const std::string& pipeline, const Messages& messages);

}  // namespace sluice
