// SPDX-License-Identifier: Apache-2.0
#include "tests/support/fake_queue.h"

#include <algorithm>
#include <limits>

#include <boost/json.hpp>

namespace sluice {
namespace {

constexpr int kAttempts = 8;

}  // namespace

FakeQueue::FakeQueue(QueueRules rules, Now start, std::uint64_t seed, SandboxQueue* dead_letters)
    : state_(std::move(rules), seed, dead_letters),
      faults_(seed + 1),
      random_(seed + 2),
      time_(start) {}

void FakeQueue::advance(std::int64_t ms) {
  time_.steady_ms += ms;
  time_.wall_ms += ms;
  look_again();
}

void FakeQueue::receive(Ticket ticket, int most, int wait_s, int visibility_s) {
  if (stopped_) {
    answers_.push_back(CallFailed{ticket, Failure(Fault::temporary, "withdrawn", "run again")});
    return;
  }
  const Poll asked{ticket, most, visibility_s, wait_s == 0, time_.steady_ms + wait_s * 1000};
  const bool answered = call("ReceiveMessage", {{"WaitTimeSeconds", wait_s}}, ticket,
                             [&](const SandboxFault& fault) { return poll(asked, fault); });
  if (!answered) polls_.push_back(asked);
}

void FakeQueue::remove(Ticket ticket, const std::vector<std::string>& handles) {
  batch("DeleteMessageBatch", ticket, handles,
        [this](const std::string& handle) { state_.remove(handle, time_); });
}

void FakeQueue::hide(Ticket ticket, const std::vector<std::string>& handles, int visibility_s) {
  batch("ChangeMessageVisibilityBatch", ticket, handles,
        [&](const std::string& handle) { state_.change_visibility(handle, visibility_s, time_); });
  look_again();
}

void FakeQueue::count(Ticket ticket) {
  call("GetQueueAttributes", {}, ticket, [&](const SandboxFault&) -> std::optional<QueueAnswer> {
    const QueueTally tally = state_.tally(time_);
    const auto number = [](std::size_t count) { return static_cast<std::int64_t>(count); };
    return Counted{ticket, {number(tally.visible), number(tally.in_flight), number(tally.delayed)}};
  });
}

void FakeQueue::wait(std::int64_t at_most_ms, std::vector<QueueAnswer>& answers) {
  const std::int64_t end = time_.steady_ms + at_most_ms;
  look_again();
  while (answers_.empty() && !woken_ && time_.steady_ms < end) {
    const std::int64_t next = std::clamp(next_event_ms(), time_.steady_ms + 1, end);
    advance(next - time_.steady_ms);
  }
  woken_ = false;
  std::ranges::move(answers_, std::back_inserter(answers));
  answers_.clear();
}

void FakeQueue::abandon() {
  polls_.clear();
  answers_.clear();
}

bool FakeQueue::call(const std::string& operation, const boost::json::object& request,
                     Ticket ticket, const Effect& effect) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    ++requests_[operation].sent;
    const SandboxFault fault = faults_.meet(operation, request);
    if (fault.code == "AccessDenied") {
      answers_.emplace_back(CallFailed{
          ticket, Failure(Fault::rights, operation + ": AccessDenied", "grant the right")});
      return true;
    }
    if (fault.drop_before || fault.status != 0) continue;
    std::optional<QueueAnswer> answer = effect(fault);
    if (fault.drop_after) continue;
    if (!answer) return false;
    answers_.push_back(std::move(*answer));
    return true;
  }
  answers_.emplace_back(CallFailed{
      ticket,
      Failure(Fault::temporary, operation + ": no answer after eight attempts", "run again")});
  return true;
}

std::optional<QueueAnswer> FakeQueue::poll(const Poll& poll, const SandboxFault& fault) {
  Received received;
  received.ticket = poll.ticket;
  if (fault.empty) return received;
  const bool over = time_.steady_ms >= poll.deadline_ms;
  received.in_flight_limit = poll.is_short && !state_.rules().is_fifo() && state_.is_full(time_);
  std::vector<Delivery> deliveries = state_.receive(poll.most, poll.visibility_s, time_);
  if (deliveries.empty() && !over) return std::nullopt;
  for (std::size_t left = deliveries.size(); fault.shuffle && left > 1; --left) {
    std::swap(deliveries[left - 1], deliveries[random_.below(left)]);
  }
  for (Delivery& delivery : deliveries) {
    if (fault.twice) state_.deliver_again(delivery.number);
    received.messages.push_back(std::move(delivery.message));
  }
  return received;
}

void FakeQueue::batch(const std::string& operation, Ticket ticket,
                      const std::vector<std::string>& handles,
                      const std::function<void(const std::string&)>& act) {
  call(operation, {}, ticket, [&](const SandboxFault& fault) -> std::optional<QueueAnswer> {
    BatchAnswered answered{ticket, {}};
    int to_fail = fault.fail_entries;
    for (const std::string& handle : handles) {
      EntryResult& result = answered.results.emplace_back();
      try {
        if (to_fail-- > 0) throw entry_refusal(fault);
        act(handle);
        result.done = true;
      } catch (const SandboxRefusal& refusal) {
        result = {false, refusal.sender_fault(), refusal.code()};
      }
    }
    return answered;
  });
}

std::int64_t FakeQueue::next_event_ms() const {
  std::int64_t next = state_.next_change_ms().value_or(std::numeric_limits<std::int64_t>::max());
  for (const Poll& waiting : polls_) next = std::min(next, waiting.deadline_ms);
  return next;
}

void FakeQueue::look_again() {
  std::erase_if(polls_, [this](const Poll& waiting) {
    std::optional<QueueAnswer> answer = poll(waiting, {});
    if (answer) answers_.push_back(std::move(*answer));
    return answer.has_value();
  });
}

}  // namespace sluice
