// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sandbox_queue.h"

#include <algorithm>

#include "tests/support/sandbox_refusal.h"

namespace sluice {
namespace {

constexpr std::int64_t kLongestVisibilityMs = 43'200'000;  // SQS: twelve hours from the receive
constexpr std::int64_t kDeduplicationMs = 300'000;         // SQS: five minutes; attempts too

/// Twenty digits that no 64-bit integer holds, as those of AWS.
std::string sequence_number(std::size_t number) {
  const std::string digits = std::to_string(number);
  return "188" + std::string(17 - digits.size(), '0') + digits;
}

}  // namespace

SandboxQueue::SandboxQueue(QueueRules rules, std::uint64_t seed, SandboxQueue* dead_letters)
    : rules_(std::move(rules)),
      dead_letters_(dead_letters),
      random_(seed),
      receipts_(random_.next()) {}

std::size_t SandboxQueue::send(NewMessage message, Now now) {
  const std::size_t number = entries_.size();
  if (!message.deduplication.empty()) {
    const auto [earlier, fresh] =
        deduplicated_.try_emplace(message.deduplication, number, now.steady_ms);
    if (!fresh && now.steady_ms - earlier->second.second < kDeduplicationMs) {
      return earlier->second.first;
    }
    earlier->second = {number, now.steady_ms};
  }
  Entry& entry = entries_.emplace_back();
  entry.id = seeded_uuid(random_);
  entry.body = std::move(message.body);
  entry.body.shrink_to_fit();
  entry.sent_ms = message.sent_ms.value_or(now.wall_ms);
  if (!message.group.empty() || !message.attributes.empty()) {
    entry.extras = std::make_unique<Extras>(Extras{
        std::move(message.group), std::move(message.deduplication), std::move(message.attributes)});
  }
  entry.state = State::gone;
  ++tally_.sent;
  move_to(message.delay_s > 0 ? State::delayed : State::visible, number);
  if (message.delay_s > 0) hide_until(now.steady_ms + message.delay_s * 1000, number);
  return number;
}

std::vector<Delivery> SandboxQueue::receive(int most, int visibility_s, Now now,
                                            const std::string& attempt) {
  expire(now);
  const std::int64_t visible_at = now.steady_ms + visibility_s * 1000;
  std::vector<Delivery> again = replay(attempt, visible_at, now);
  if (!again.empty() || is_full(now)) return again;
  const std::size_t room = static_cast<std::size_t>(rules_.in_flight_limit) - tally_.in_flight;
  std::vector<Delivery> deliveries;
  deliveries.reserve(static_cast<std::size_t>(most));
  for (const std::size_t number : take(std::min<std::size_t>(most, room), now)) {
    Entry& entry = entries_[number];
    move_to(State::in_flight, number);
    hide_until(visible_at, number);
    ++entry.receive_count;
    ++tally_.deliveries;
    entry.received_steady_ms = now.steady_ms;
    if (entry.first_received_ms == 0) entry.first_received_ms = now.wall_ms;
    deliveries.push_back(message(number));
  }
  if (!attempt.empty()) {
    Attempt& made = attempts_[attempt] = {now.steady_ms, {}};
    for (const Delivery& d : deliveries) made.given.push_back({d.number, d.message.receive_count});
  }
  return deliveries;
}

void SandboxQueue::remove(const std::string& handle, Now now) {
  const SandboxReceipt receipt = receipt_of(handle);
  expire(now);
  const Entry& entry = entries_[receipt.number];
  if (entry.state == State::gone) return;
  const bool newest = receipt.delivery == entry.receive_count;
  if (rules_.is_fifo() && (!newest || entry.state != State::in_flight)) {
    throw SandboxRefusal("ReceiptHandleIsInvalid", "The receipt handle has expired");
  }
  if (!newest) return;  // on a standard queue a stale handle "succeeds", and the message stays
  if (now.steady_ms - entry.received_steady_ms > kLongestVisibilityMs) {
    throw SandboxRefusal("InvalidParameterValue", "The receipt handle has expired");
  }
  move_to(State::gone, receipt.number);
  ++tally_.deleted;
}

void SandboxQueue::change_visibility(const std::string& handle, int visibility_s, Now now) {
  const SandboxReceipt receipt = receipt_of(handle);
  expire(now);
  const Entry& entry = entries_[receipt.number];
  if (entry.state != State::in_flight || receipt.delivery != entry.receive_count) {
    throw SandboxRefusal("MessageNotInflight", "The message referred to is not in flight");
  }
  const std::int64_t visible_at = now.steady_ms + visibility_s * 1000;
  if (visible_at - entry.received_steady_ms > kLongestVisibilityMs) {
    throw SandboxRefusal(
        "InvalidParameterValue",
        "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]");
  }
  hide_until(visible_at, receipt.number);
  expire(now);
}

QueueTally SandboxQueue::tally(Now now) {
  expire(now);
  return tally_;
}

bool SandboxQueue::is_full(Now now) {
  expire(now);
  return tally_.in_flight >= static_cast<std::size_t>(rules_.in_flight_limit);
}

std::optional<std::int64_t> SandboxQueue::next_change_ms() const {
  if (leases_.empty()) return std::nullopt;
  return leases_.top().first;
}

Delivery SandboxQueue::message(std::size_t number) const {
  const Entry& entry = entries_[number];
  Delivery delivery;
  delivery.number = number;
  delivery.first_received_ms = entry.first_received_ms;
  Message& message = delivery.message;
  message.id = to_text(entry.id);
  message.receipt = receipts_.handle_of({number, entry.receive_count});
  message.body = entry.body;
  message.sent_ms = entry.sent_ms;
  message.receive_count = entry.receive_count;
  if (entry.extras) {
    message.group = entry.extras->group;
    message.attributes = entry.extras->attributes;
    delivery.deduplication = entry.extras->deduplication;
  }
  if (rules_.is_fifo()) message.sequence = sequence_number(number);
  return delivery;
}

std::optional<std::size_t> SandboxQueue::number_of(const std::string& handle) const {
  const auto receipt = receipts_.read(handle);
  if (!receipt || receipt->number >= entries_.size()) return std::nullopt;
  return receipt->number;
}

void SandboxQueue::deliver_again(std::size_t number) {
  if (entries_[number].state == State::gone) --tally_.deleted;
  move_to(State::visible, number);
}

void SandboxQueue::show_all() {
  for (; !leases_.empty(); leases_.pop()) {
    const std::size_t number = leases_.top().second;
    if (entries_[number].state == State::in_flight) move_to(State::visible, number);
  }
}

SandboxQueue::Group& SandboxQueue::group_of(const Entry& entry) {
  return groups_[rules_.is_fifo() && entry.extras ? entry.extras->group : std::string()];
}

std::size_t& SandboxQueue::tally_of(State state) {
  return state == State::visible     ? tally_.visible
         : state == State::in_flight ? tally_.in_flight
                                     : tally_.delayed;
}

void SandboxQueue::move_to(State state, std::size_t number) {
  Entry& entry = entries_[number];
  Group& group = group_of(entry);
  if (entry.state != State::gone) --tally_of(entry.state);
  if (entry.state == State::in_flight) --group.in_flight;
  entry.state = state;
  if (state != State::gone) ++tally_of(state);
  if (state == State::in_flight) ++group.in_flight;
  if (state == State::visible && !entry.waiting) {
    entry.waiting = true;
    auto& waiting = group.waiting;
    // A group keeps its order; a standard queue promises none, and what comes back queues up again.
    waiting.insert(rules_.is_fifo() ? std::ranges::lower_bound(waiting, number) : waiting.end(),
                   number);
  }
}

void SandboxQueue::hide_until(std::int64_t steady_ms, std::size_t number) {
  entries_[number].visible_at_ms = steady_ms;
  leases_.emplace(steady_ms, number);
}

void SandboxQueue::expire(Now now) {
  for (; !leases_.empty() && leases_.top().first <= now.steady_ms; leases_.pop()) {
    const auto [end, number] = leases_.top();
    const Entry& entry = entries_[number];
    const bool hidden = entry.state == State::in_flight || entry.state == State::delayed;
    if (hidden && entry.visible_at_ms == end) move_to(State::visible, number);
  }
}

bool SandboxQueue::is_exhausted(const Entry& entry) const {
  return dead_letters_ != nullptr &&
         entry.receive_count >= static_cast<std::uint32_t>(rules_.max_receive_count);
}

/// A dead letter keeps its id and the time it was sent.
void SandboxQueue::bury(std::size_t number, Now now) {
  move_to(State::gone, number);
  Entry& entry = entries_[number];
  NewMessage letter{.body = entry.body, .sent_ms = entry.sent_ms};
  if (entry.extras) {
    letter.group = entry.extras->group;
    letter.attributes = entry.extras->attributes;
  }
  const std::size_t there = dead_letters_->send(std::move(letter), now);
  dead_letters_->entries_[there].id = entry.id;
}

std::vector<std::size_t> SandboxQueue::take(std::size_t most, Now now) {
  std::vector<std::size_t> taken;
  for (auto& [name, group] : groups_) {
    if (rules_.is_fifo() && group.in_flight > 0) continue;
    while (!group.waiting.empty() && taken.size() < most) {
      const std::size_t number = group.waiting.front();
      group.waiting.pop_front();
      Entry& entry = entries_[number];
      entry.waiting = false;
      if (entry.state != State::visible) continue;
      if (is_exhausted(entry)) {
        bury(number, now);
      } else {
        taken.push_back(number);
      }
    }
  }
  return taken;
}

/// The same attempt gets the same messages, hidden anew, as long as all of them are still in flight
/// from it.
std::vector<Delivery> SandboxQueue::replay(const std::string& attempt, std::int64_t visible_at_ms,
                                           Now now) {
  const auto known = attempts_.find(attempt);
  if (known == attempts_.end() || now.steady_ms - known->second.made_ms > kDeduplicationMs) {
    return {};
  }
  std::vector<Delivery> deliveries;
  for (const auto& [number, delivery] : known->second.given) {
    const Entry& entry = entries_[number];
    if (entry.state != State::in_flight || entry.receive_count != delivery) return {};
    deliveries.push_back(message(number));
  }
  for (const Delivery& delivery : deliveries) hide_until(visible_at_ms, delivery.number);
  return deliveries;
}

SandboxReceipt SandboxQueue::receipt_of(const std::string& handle) const {
  const auto receipt = receipts_.read(handle);
  if (!receipt || receipt->number >= entries_.size()) {
    throw SandboxRefusal("ReceiptHandleIsInvalid", "The input receipt handle is invalid");
  }
  return *receipt;
}

}  // namespace sluice
