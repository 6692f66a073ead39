// SPDX-License-Identifier: Apache-2.0
// What a FIFO queue asks of a load: rows in its order, and nothing of a group past a message that
// stays in the queue. Only its messages have a sequence; groups other queues may have too.
#pragma once

#include <set>

#include "job/warehouse/ledger.h"

namespace sluice {

/// Rows appear in the order of SequenceNumber.
void sort_by_sequence(Messages& messages);

/// Takes those in `stopped` out of `messages`, and of their groups whatever was sent after them.
Messages take_left(Messages& messages, const std::set<const StagedMessage*>& stopped);

}  // namespace sluice
