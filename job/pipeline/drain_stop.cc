// SPDX-License-Identifier: Apache-2.0
// The heart: how a run ends, well or not.
#include "job/base/log.h"
#include "job/pipeline/drain.h"
#include "job/pipeline/limits.h"

namespace sluice {

void Drain::finish(StopReason reason, std::optional<Failure> failure) {
  if (mode_ != Mode::running) return;
  mode_ = Mode::finishing;
  reason_ = reason;
  failure_ = std::move(failure);
}

void Drain::leave(StopReason reason, std::optional<Failure> failure, std::int64_t within_ms) {
  const bool signalled = reason == StopReason::interrupted;
  if (mode_ == Mode::leaving && !signalled) {
    return_unstaged();  // of what came since and was to be kept
    return;
  }
  mode_ = Mode::leaving;
  reason_ = reason;
  failure_ = std::move(failure);
  leave_by_ms_ = now_.steady_ms + within_ms;
  interrupt_load_ms_ = signalled ? now_.steady_ms + kStopLoadAfterMs : 0;
  orders_.push_back(StopReceivingOrder{});
  return_unstaged();
}

/// Given back, the message would be in the dead-letter queue at its next receive: it is staged
/// instead, and the next run loads it.
bool Drain::keeps(std::uint32_t receive_count) const {
  return limits_.max_receive_count > 0 && receive_count >= limits_.max_receive_count;
}

void Drain::return_unstaged() {
  for (HeldWindow& held : windows_) {
    if (held.window.state != WindowState::open || held.carried) continue;
    if (keeps(staging_.highest_receive_count(held))) {
      try {
        staging_.flush(held);
        continue;
      } catch (const CheckpointError& error) {
        log().write(Level::warning, "not-staged", error.what());
      }
    }
    const std::vector<std::string> unstaged = staging_.discard(held);
    books_.returned += unstaged.size();
    hide(unstaged, 0, Call::Kind::give_back);
  }
}

void Drain::return_from(const std::vector<Message>& messages, std::size_t first) {
  std::vector<std::string> handles;
  for (std::size_t i = first; i < messages.size(); ++i) handles.push_back(messages[i].receipt);
  books_.returned += handles.size();
  hide(handles, 0, Call::Kind::give_back);
}

void Drain::close_books() {
  ended_ = true;
  std::uint64_t left = 0;
  for (const HeldWindow& held : windows_) {
    if (held.window.state == WindowState::open || held.window.state == WindowState::sealed) {
      books_.carried_out += held.window.messages;
    }
    if (held.deletes) left += held.deletes->left();
  }
  try {
    for (const HeldWindow& held : windows_) keep_leftover(held);
    prune();
  } catch (const CheckpointError& error) {
    // No loss: the next run deletes again what this one did.
    log().write(Level::warning, "checkpoint-untidy", error.what());
  }
  if (left > 0 && !failure_ && reason_ != StopReason::interrupted) {
    reason_ = StopReason::error;
    failure_ = Failure(Fault::temporary,
                       "queue: " + std::to_string(left) + " loaded messages could not be deleted",
                       "run again: the next run deletes them first");
  }
}

void Drain::keep_leftover(const HeldWindow& held) {
  // With a call under way nobody knows what is deleted: then all receipts stay, and all are deleted
  // again.
  if (!held.deletes || held.deletes->done() || held.deletes->under_way()) return;
  std::vector<Receipt> receipts;
  for (const std::uint32_t position : held.deletes->leftover()) {
    receipts.push_back({position, held.handles[position]});
  }
  checkpoint_.keep_receipts(held.window.number, receipts);
}

Measures Drain::measures() const {
  constexpr std::int64_t kNsPerMs = 1'000'000;
  const Masker::Work work = staging_.masker().work();
  Measures all = measured_;
  all.receive_ns = calls_.busy_ms(Call::Kind::receive, now_.steady_ms) * kNsPerMs;
  all.decode_ns = work.decode_ns;
  all.validate_ns = work.validate_ns;
  all.mask_ns = work.mask_ns;
  all.stage_ns = staging_.commit_ns();
  all.delete_ns = calls_.busy_ms(Call::Kind::remove, now_.steady_ms) * kNsPerMs;
  all.unmapped_fields = work.unmapped_fields;
  all.masked_values = work.masked_values;
  return all;
}

}  // namespace sluice
