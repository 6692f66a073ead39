// SPDX-License-Identifier: Apache-2.0
// Carries the heart's orders out and brings it what comes back.
#pragma once

#include <functional>

#include "job/pipeline/drain.h"
#include "job/pipeline/signals.h"
#include "job/pipeline/warehouse_thread.h"
#include "job/queue/queue.h"

namespace sluice {

/// Until the heart has ended. `look` is called now and then, at least ten times a second while
/// something happens, with the heart as it stands: for progress only.
void run_to_end(Drain& drain, Queue& queue, WarehouseThread& warehouse, const Signals& signals,
                const std::function<void(const Drain&, Now)>& look);

}  // namespace sluice
