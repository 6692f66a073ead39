// SPDX-License-Identifier: Apache-2.0
// What goes into the heart, and what comes out of it.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "job/queue/queue.h"
#include "job/warehouse/warehouse.h"

namespace sluice {

/// Time has passed; nothing else.
struct Tick {};
struct LoadAnswered {
  std::int64_t window = 0;
  LoadResult result;
  std::int64_t took_ns = 0;
};
struct ForwardAnswered {
  std::int64_t window = 0;
  ForwardResult result;
};
struct Interrupted {};

using Event = std::variant<Tick, Received, BatchAnswered, Counted, CallFailed, LoadAnswered,
                           ForwardAnswered, Interrupted>;

/// Orders to the queue; their tickets come back in the answers.
struct ReceiveOrder {
  Ticket ticket = 0;
  int most = 0;
  int wait_s = 0;
  int visibility_s = 0;
};
struct RemoveOrder {
  Ticket ticket = 0;
  std::vector<std::string> handles;
};
struct HideOrder {
  Ticket ticket = 0;
  std::vector<std::string> handles;
  int visibility_s = 0;  // 0 gives the messages back
};
struct CountOrder {
  Ticket ticket = 0;
};
/// No receive is sent any more; those that were not yet fail.
struct StopReceivingOrder {};
/// Orders to the warehouse: one at a time.
struct LoadOrder {
  std::shared_ptr<const SealedWindow> window;
  bool only_if_committed = false;
};
struct ForwardOrder {
  std::shared_ptr<const SealedWindow> window;
};
/// Ends the one under way.
struct InterruptOrder {};

using Order = std::variant<ReceiveOrder, RemoveOrder, HideOrder, CountOrder, StopReceivingOrder,
                           LoadOrder, ForwardOrder, InterruptOrder>;

}  // namespace sluice
