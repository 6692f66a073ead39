// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/queue.h"

#include <algorithm>
#include <memory>

#include "tests/support/sandbox_refusal.h"

namespace sluice::simulation {
namespace {

constexpr std::int64_t kLookAgainMs = 250;

Failure away() { return {sluice::Fault::temporary, "queue: no answer", "run again"}; }

}  // namespace

SharedQueue::SharedQueue(Timeline& timeline, Faults& faults, Oracle& oracle, SandboxQueue& state,
                         std::int64_t wall_ms, std::uint64_t seed)
    : timeline_(timeline),
      faults_(faults),
      oracle_(oracle),
      state_(state),
      wall_ms_(wall_ms),
      random_(seed) {}

std::int64_t SharedQueue::latency() { return 1 + static_cast<std::int64_t>(random_.below(30)); }

std::vector<std::size_t> SharedQueue::hidden() {
  state_.tally(now());  // leases that have ended have ended
  std::vector<std::size_t> numbers;
  for (std::size_t number = 0; number < oracle_.messages(); ++number) {
    if (state_.is_in_flight(number)) numbers.push_back(number);
  }
  return numbers;
}

void SharedQueue::answer(Event event, Reply reply) {
  std::int64_t ms = latency();
  if (faults_.strikes(Fault::slow_answer)) {
    ms += 500 + static_cast<std::int64_t>(faults_.details(Fault::slow_answer).below(8000));
  }
  // The function is copied on its way; the event is not to be.
  auto carried = std::make_shared<Event>(std::move(event));
  timeline_.after(ms, [carried, reply = std::move(reply)] { reply(std::move(*carried)); });
}

void SharedQueue::receive(const ReceiveOrder& order, int run, Reply reply) {
  if (faults_.strikes(Fault::lose_call)) {
    return answer(CallFailed{order.ticket, away()}, std::move(reply));
  }
  timeline_.after(latency(), [this, order, run, reply = std::move(reply)] {
    poll(order, run, timeline_.now_ms() + order.wait_s * 1000LL, reply);
  });
}

void SharedQueue::poll(ReceiveOrder order, int run, std::int64_t deadline_ms, Reply reply) {
  const std::vector<Delivery> given = state_.receive(order.most, order.visibility_s, now());
  if (given.empty() && timeline_.now_ms() < deadline_ms) {
    const std::int64_t left = deadline_ms - timeline_.now_ms();
    timeline_.after(std::min(left, kLookAgainMs),
                    [this, order, run, deadline_ms, reply = std::move(reply)] {
                      poll(order, run, deadline_ms, reply);
                    });
    return;
  }
  Received received{order.ticket, {}, false};
  std::vector<std::pair<std::size_t, std::int64_t>> deliveries;
  for (const Delivery& each : given) {
    deliveries.emplace_back(each.number, oracle_.given(each.number));
    if (faults_.strikes(Fault::deliver_again)) state_.deliver_again(each.number);
    received.messages.push_back(each.message);
  }
  if (faults_.strikes(Fault::lose_answer)) {
    return answer(CallFailed{order.ticket, away()}, std::move(reply));
  }
  answer(std::move(received), [this, deliveries, run, reply = std::move(reply)](Event event) {
    for (const auto& [number, delivery] : deliveries) oracle_.taken(number, delivery, run);
    if (reply(std::move(event))) return true;
    for (const auto& [number, delivery] : deliveries) oracle_.taken(number, delivery, 0);
    return false;
  });
}

void SharedQueue::excuse(const std::vector<std::string>& handles) {
  for (const std::string& handle : handles) oracle_.excused(*state_.number_of(handle));
}

void SharedQueue::batch(Ticket ticket, const std::vector<std::string>& handles, Reply reply,
                        std::function<void(const std::string& handle)> act) {
  if (faults_.strikes(Fault::lose_call)) {
    excuse(handles);
    return answer(CallFailed{ticket, away()}, std::move(reply));
  }
  timeline_.after(
      latency(), [this, ticket, handles, reply = std::move(reply), act = std::move(act)] {
        BatchAnswered answered{ticket, {}};
        const auto fails = [&](Fault fault) {
          return faults_.strikes(fault) ? 1 + faults_.details(fault).below(handles.size()) : 0;
        };
        const std::size_t failing = fails(Fault::fail_entries);
        const std::size_t refused = failing + fails(Fault::refuse_entries);
        for (const std::string& handle : handles) {
          const std::size_t at = answered.results.size();
          if (at < refused) {
            oracle_.excused(*state_.number_of(handle));
            answered.results.push_back({false, at >= failing, "InternalError"});
            continue;
          }
          try {
            act(handle);
            answered.results.push_back({true, false, ""});
          } catch (const SandboxRefusal& refusal) {
            answered.results.push_back({false, true, refusal.code()});
          }
        }
        if (faults_.strikes(Fault::lose_answer)) {
          answer(CallFailed{ticket, away()}, reply);
        } else {
          answer(std::move(answered), reply);
        }
      });
}

void SharedQueue::remove(const RemoveOrder& order, Reply reply) {
  batch(order.ticket, order.handles, std::move(reply), [this](const std::string& handle) {
    const std::size_t number = *state_.number_of(handle);
    const bool was_there = !state_.is_deleted(number);
    state_.remove(handle, now());
    if (!was_there || !state_.is_deleted(number)) return;
    oracle_.deleted(number);
    if (faults_.strikes(Fault::undelete)) state_.deliver_again(number);
  });
}

void SharedQueue::hide(const HideOrder& order, Reply reply) {
  batch(order.ticket, order.handles, std::move(reply),
        [this, visibility_s = order.visibility_s](const std::string& handle) {
          state_.change_visibility(handle, visibility_s, now());
        });
}

void SharedQueue::count(const CountOrder& order, Reply reply) {
  const QueueTally tally = state_.tally(now());
  answer(Counted{order.ticket,
                 {static_cast<std::int64_t>(tally.visible),
                  static_cast<std::int64_t>(tally.in_flight), 0}},
         std::move(reply));
}

}  // namespace sluice::simulation
