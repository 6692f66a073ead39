// SPDX-License-Identifier: Apache-2.0
// The one thread that talks to Postgres while the event loop talks to the queue. One order at a
// time goes in, one answer comes out; nothing else is shared.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>

#include "job/pipeline/orders.h"
#include "job/warehouse/warehouse.h"

namespace sluice {

class WarehouseThread {
 public:
  using Order = std::variant<LoadOrder, ForwardOrder>;

  /// `wake` is called from the thread when an answer is there.
  WarehouseThread(Warehouse& warehouse, std::function<void()> wake);
  /// Interrupts what is under way and joins.
  ~WarehouseThread();
  WarehouseThread(const WarehouseThread&) = delete;
  WarehouseThread& operator=(const WarehouseThread&) = delete;

  /// Only when nothing is under way and no answer waits.
  void start(Order order);
  /// LoadAnswered or ForwardAnswered.
  std::optional<Event> take_answer();
  void interrupt() { warehouse_.interrupt(); }

 private:
  void work();
  Event carry_out(const LoadOrder& order);
  Event carry_out(const ForwardOrder& order);

  Warehouse& warehouse_;
  std::function<void()> wake_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Order> order_;
  std::optional<Event> answer_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace sluice
