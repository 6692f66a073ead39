// SPDX-License-Identifier: Apache-2.0
#include "job/pipeline/warehouse_thread.h"

#include "job/base/clock.h"

namespace sluice {
namespace {

/// What `call` answers; what it throws, which a warehouse should not, becomes a `Failed` for good.
template <typename Failed, typename Call>
auto answer_of(Call call) -> decltype(call()) {
  try {
    return call();
  } catch (const Failure& failure) {
    return Failed{failure, false};
  } catch (const std::exception& error) {
    return Failed{Failure(Fault::bug, std::string("warehouse: ") + error.what(),
                          "report it with this line; no message is lost, run again"),
                  false};
  }
}

}  // namespace

WarehouseThread::WarehouseThread(Warehouse& warehouse, std::function<void()> wake)
    : warehouse_(warehouse), wake_(std::move(wake)), thread_([this] { work(); }) {}

WarehouseThread::~WarehouseThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    order_.reset();
  }
  warehouse_.interrupt();
  changed_.notify_all();
  thread_.join();
}

void WarehouseThread::start(Order order) {
  const std::lock_guard lock(mutex_);
  require(!order_ && !answer_, "a second order to the warehouse");
  order_ = std::move(order);
  changed_.notify_all();
}

std::optional<Event> WarehouseThread::take_answer() {
  const std::lock_guard lock(mutex_);
  std::optional<Event> answer = std::move(answer_);
  answer_.reset();
  return answer;
}

void WarehouseThread::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return order_ || stopping_; });
    if (stopping_) return;
    const Order order = std::move(*order_);
    lock.unlock();
    Event answer = std::visit([this](const auto& each) { return carry_out(each); }, order);
    lock.lock();
    order_.reset();
    answer_ = std::move(answer);
    lock.unlock();
    wake_();
    lock.lock();
  }
}

Event WarehouseThread::carry_out(const LoadOrder& order) {
  const std::int64_t began_ns = steady_ns();
  LoadResult result = answer_of<LoadFailed>(
      [&]() -> LoadResult { return warehouse_.load(*order.window, order.only_if_committed); });
  return LoadAnswered{order.window->window.number, std::move(result), steady_ns() - began_ns};
}

Event WarehouseThread::carry_out(const ForwardOrder& order) {
  return ForwardAnswered{order.window->window.number,
                         answer_of<ForwardFailed>(
                             [&]() -> ForwardResult { return warehouse_.forward(*order.window); })};
}

}  // namespace sluice
