// SPDX-License-Identifier: Apache-2.0
#include "job/pipeline/event_loop.h"

#include <algorithm>

namespace sluice {
namespace {

constexpr std::int64_t kLongestWaitMs = 200;  // progress is looked at this often

template <typename... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <typename... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

void carry_out(Order& order, Queue& queue, WarehouseThread& warehouse) {
  std::visit(
      Overloaded{
          [&](const ReceiveOrder& o) { queue.receive(o.ticket, o.most, o.wait_s, o.visibility_s); },
          [&](const RemoveOrder& o) { queue.remove(o.ticket, o.handles); },
          [&](const HideOrder& o) { queue.hide(o.ticket, o.handles, o.visibility_s); },
          [&](const CountOrder& o) { queue.count(o.ticket); },
          [&](const StopReceivingOrder&) { queue.stop_receiving(); },
          [&](LoadOrder& o) { warehouse.start(std::move(o)); },
          [&](ForwardOrder& o) { warehouse.start(std::move(o)); },
          [&](const InterruptOrder&) { warehouse.interrupt(); },
      },
      order);
}

}  // namespace

void run_to_end(Drain& drain, Queue& queue, WarehouseThread& warehouse, const Signals& signals,
                const std::function<void(const Drain&, Now)>& look) {
  bool told = false;
  std::vector<QueueAnswer> answers;
  const auto step = [&](Event event) {
    for (Order& order : drain.step(std::move(event), now())) carry_out(order, queue, warehouse);
  };
  step(Tick{});
  while (!drain.ended()) {
    const std::int64_t wait = drain.wake_ms() - now().steady_ms;
    answers.clear();
    queue.wait(std::clamp<std::int64_t>(wait, 0, kLongestWaitMs), answers);
    if (signals.received() != 0 && !told) {
      told = true;
      step(Interrupted{});
    }
    if (auto answer = warehouse.take_answer()) step(std::move(*answer));
    for (QueueAnswer& answer : answers) {
      std::visit([&step](auto& each) { step(std::move(each)); }, answer);
    }
    step(Tick{});
    look(drain, now());
  }
  queue.abandon();
}

}  // namespace sluice
