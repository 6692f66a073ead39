// SPDX-License-Identifier: Apache-2.0
// The one thread that talks to Postgres while the event loop talks to the queue. One window at a
// time goes in, one answer comes out; nothing else is shared.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "job/pipeline/orders.h"
#include "job/warehouse/warehouse.h"

namespace sluice {

class LoadThread {
 public:
  /// `wake` is called from the thread when an answer is there.
  LoadThread(Warehouse& warehouse, std::function<void()> wake);
  /// Interrupts a load under way and joins.
  ~LoadThread();
  LoadThread(const LoadThread&) = delete;
  LoadThread& operator=(const LoadThread&) = delete;

  /// Only when no load is under way and no answer waits.
  void start(LoadOrder order);
  std::optional<LoadAnswered> take_answer();
  void interrupt() { warehouse_.interrupt(); }

 private:
  void work();

  Warehouse& warehouse_;
  std::function<void()> wake_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<LoadOrder> order_;
  std::optional<LoadAnswered> answer_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace sluice
