// SPDX-License-Identifier: Apache-2.0
#include "job/pipeline/load_thread.h"

namespace sluice {

LoadThread::LoadThread(Warehouse& warehouse, std::function<void()> wake)
    : warehouse_(warehouse), wake_(std::move(wake)), thread_([this] { work(); }) {}

LoadThread::~LoadThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    order_.reset();
  }
  warehouse_.interrupt();
  changed_.notify_all();
  thread_.join();
}

void LoadThread::start(LoadOrder order) {
  const std::lock_guard lock(mutex_);
  require(!order_ && !answer_, "a second load was ordered");
  order_ = std::move(order);
  changed_.notify_all();
}

std::optional<LoadAnswered> LoadThread::take_answer() {
  const std::lock_guard lock(mutex_);
  std::optional<LoadAnswered> answer = std::move(answer_);
  answer_.reset();
  return answer;
}

void LoadThread::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return order_ || stopping_; });
    if (stopping_) return;
    const LoadOrder order = std::move(*order_);
    lock.unlock();
    LoadAnswered answer{order.window->window.number, LoadFailed{{Fault::bug, "", ""}, false}};
    try {
      answer.result = warehouse_.load(*order.window, order.only_if_committed);
    } catch (const Failure& failure) {
      answer.result = LoadFailed{failure, false};
    } catch (const std::exception& error) {
      answer.result = LoadFailed{Failure(Fault::bug, std::string("load: ") + error.what(),
                                         "report it with this line; no message is lost, run again"),
                                 false};
    }
    lock.lock();
    order_.reset();
    answer_ = std::move(answer);
    lock.unlock();
    wake_();
    lock.lock();
  }
}

}  // namespace sluice
