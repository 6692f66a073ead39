// SPDX-License-Identifier: Apache-2.0
// The heart: what comes in.
#include <algorithm>
#include <numeric>

#include "job/base/log.h"
#include "job/pipeline/drain.h"

namespace sluice {
namespace {

constexpr std::int64_t kLimitPauseMs = 1'000;
constexpr std::int64_t kRetryLoadsForMs = 60'000;
constexpr std::int64_t kFirstLoadPauseMs = 250;
constexpr std::int64_t kLongestLoadPauseMs = 5'000;

}  // namespace

void Drain::on(Received& answer) {
  const auto made = calls_.take(answer.ticket);
  if (!made) return;
  books_.received += answer.messages.size();
  if (mode_ == Mode::leaving) {
    return_from(answer.messages, 0);
  } else if (answer.in_flight_limit && held() > 0) {
    receive_after_ms_ = now_.steady_ms + kLimitPauseMs;
  } else if (!answer.messages.empty()) {
    std::uint64_t bytes = 0;
    for (const Message& message : answer.messages) bytes += message.body.size();
    receiving_.answered(static_cast<std::size_t>(made->most), answer.messages.size(), bytes);
    take(answer.messages);
  } else if (!limits_.fifo || made->nothing_held) {
    // On FIFO an empty answer says nothing while messages are held: their groups are blocked.
    receiving_.empty(made->wait_s, made->asked_ms, now_.steady_ms);
  }
}

void Drain::take(std::vector<Message>& messages) {
  std::size_t at = 0;
  try {
    while (at < messages.size()) {
      HeldWindow& open = open_window();
      const auto first = static_cast<std::uint32_t>(open.handles.size());
      while (at < messages.size() && !is_full(open)) {
        books_.oldest_age_ms = std::max(books_.oldest_age_ms, now_.wall_ms - messages[at].sent_ms);
        if (!staging_.accept(messages[at], open, now_.steady_ms)) ++books_.duplicate;
        ++at;
      }
      const auto count = static_cast<std::uint32_t>(open.handles.size()) - first;
      if (count > 0) leases_.add(open.window.number, first, count, now_.steady_ms);
      if (is_full(open)) seal(open);
    }
  } catch (...) {
    return_from(messages, at);
    throw;
  }
}

HeldWindow& Drain::open_window() {
  for (HeldWindow& held : windows_) {
    if (held.window.state == WindowState::open && !held.carried) return held;
  }
  HeldWindow& held = windows_.emplace_back();
  held.window.number = checkpoint_.open_window(now_.wall_ms);
  held.opened_ms = now_.steady_ms;
  return held;
}

void Drain::on(BatchAnswered& answer) {
  const auto made = calls_.take(answer.ticket);
  if (!made) return;
  if (made->kind == Call::Kind::extend) extending_fails_ = false;
  if (made->kind != Call::Kind::remove) return;
  HeldWindow* held = find(made->window);
  require(held != nullptr, "a delete was answered for a window that is gone");
  removes_ = std::min(removes_ + 1, kMostRemoves);
  const auto outcome = held->deletes->answered(made->positions, answer.results, now_.steady_ms);
  books_.deleted += outcome.deleted;
  books_.delete_failed += outcome.failed_for_good;
}

void Drain::on(Counted& answer) {
  if (!calls_.take(answer.ticket)) return;
  counts_ = answer.counts;
}

void Drain::on(CallFailed& answer) {
  const auto made = calls_.take(answer.ticket);
  if (!made) return;
  const bool temporary = answer.failure.fault() == Fault::temporary;
  switch (made->kind) {
    case Call::Kind::receive:
      finish(StopReason::error, answer.failure);
      break;
    case Call::Kind::remove:
      removes_ = kFirstRemoves;
      find(made->window)->deletes->call_failed(made->positions, !temporary, now_.steady_ms);
      if (!temporary) finish(StopReason::error, answer.failure);
      break;
    case Call::Kind::extend:
      // Receiving more would only add leases that lapse.
      extending_fails_ = true;
      log().write_with_hint(Level::warning, "extend-failed", answer.failure.message(),
                            answer.failure.hint());
      break;
    case Call::Kind::give_back:
      log().write(Level::warning, "give-back-failed",
                  "messages could not be given back; they show again after the visibility timeout");
      break;
    case Call::Kind::count:
      counts_.reset();
      break;
  }
}

void Drain::on(LoadAnswered& answer) {
  HeldWindow* held = find(answer.window);
  require(held != nullptr && loading_ == answer.window,
          "a load was answered that was not asked for");
  loading_.reset();
  if (const auto* loaded = std::get_if<Loaded>(&answer.result)) {
    checkpoint_.mark_loaded(held->window.number);
    held->window.state = WindowState::loaded;
    books_.learn(loaded->counts);
    books_.watermark_ms = std::max(books_.watermark_ms, held->newest_sent_ms);
    begin_deletes(*held);
    log().write(Level::debug, "window-loaded", "a window is loaded",
                {{"loaded", static_cast<std::int64_t>(loaded->counts.loaded)},
                 {"duplicate", static_cast<std::int64_t>(loaded->counts.duplicate)},
                 {"rejected", static_cast<std::int64_t>(loaded->counts.rejected)}});
  } else if (std::holds_alternative<OtherContents>(answer.result)) {
    held->window = checkpoint_.reseal(held->window.number, new_id_());
  } else if (std::holds_alternative<NotCommitted>(answer.result)) {
    checkpoint_.set_window_aside(held->window.number);
    held->window.set_aside = true;
    log().write_with_hint(
        Level::warning, "window-set-aside",
        "a window of " + std::to_string(held->window.messages) +
            " messages is older than the ledger remembers; it is set aside and not loaded",
        "sluice status shows it; run at least once within --dedup-days");
  } else {
    load_failed(*held, std::get<LoadFailed>(answer.result));
  }
}

void Drain::begin_deletes(HeldWindow& held) {
  std::vector<std::uint32_t> positions;
  if (held.carried) {
    for (Receipt& receipt : checkpoint_.receipts(held.window.number)) {
      positions.push_back(receipt.position);
      held.handles.resize(std::max<std::size_t>(held.handles.size(), receipt.position + 1));
      held.handles[receipt.position] = std::move(receipt.handle);
    }
  } else {
    positions.resize(held.handles.size());
    std::iota(positions.begin(), positions.end(), 0U);
  }
  held.deletes.emplace(std::move(positions));
}

void Drain::load_failed(HeldWindow& held, const LoadFailed& failed) {
  if (mode_ == Mode::leaving) return;
  if (held.load_failures++ == 0) held.load_failing_since_ms = now_.steady_ms;
  const std::int64_t pause =
      std::min(kLongestLoadPauseMs, kFirstLoadPauseMs << std::min(held.load_failures, 10));
  const bool in_time = now_.steady_ms + pause < held.load_failing_since_ms + kRetryLoadsForMs;
  if (!failed.again || !in_time) {
    leave(StopReason::error, failed.failure, kLeaveAfterFailureMs);
    return;
  }
  held.retry_load_ms = now_.steady_ms + pause;
  log().write_with_hint(Level::warning, "load-retried", failed.failure.message(),
                        failed.failure.hint());
}

void Drain::on(const Interrupted&) {
  if (mode_ == Mode::leaving && reason_ == StopReason::interrupted) return;
  leave(StopReason::interrupted, std::nullopt, kStopAfterMs);
}

}  // namespace sluice
