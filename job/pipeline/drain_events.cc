// SPDX-License-Identifier: Apache-2.0
// The heart: what comes in.
#include <algorithm>

#include "job/base/log.h"
#include "job/pipeline/drain.h"

namespace sluice {
namespace {

constexpr std::int64_t kLimitPauseMs = 1'000;
constexpr std::int64_t kRetryForMs = 60'000;
constexpr std::int64_t kFirstPauseMs = 250;
constexpr std::int64_t kLongestPauseMs = 5'000;

}  // namespace

void Drain::on(Received& answer) {
  const auto made = calls_.take(answer.ticket, now_.steady_ms);
  if (!made) return;
  books_.received += answer.messages.size();
  std::uint64_t bytes = 0;
  for (const Message& message : answer.messages) bytes += message.body.size();
  measured_.bytes_in += bytes;
  // On FIFO the groups of messages that are held are blocked, and what stands in them is not seen.
  const bool tells = !limits_.fifo || (made->nothing_held && held() == 0);
  if (mode_ == Mode::leaving) {
    const bool kept = std::any_of(answer.messages.begin(), answer.messages.end(),
                                  [this](const Message& m) { return keeps(m.receive_count); });
    if (kept) {
      take(answer.messages);
      return_unstaged();
    } else {
      return_from(answer.messages, 0);
    }
  } else if (answer.in_flight_limit && held() > 0) {
    receive_after_ms_ = now_.steady_ms + kLimitPauseMs;
  } else if (answer.messages.empty()) {
    if (tells && !answer.more_comes) receiving_.empty(made->wait_s, made->asked_ms, now_.steady_ms);
  } else if (is_past(answer.messages)) {
    tells ? receiving_.past(made->asked_ms, now_.steady_ms) : receiving_.finish_first();
    take(answer.messages);
  } else {
    receiving_.answered(static_cast<std::size_t>(made->most), answer.messages.size(), bytes);
    take(answer.messages);
  }
}

/// Nothing in it is what `--sent-before` asked for.
bool Drain::is_past(const std::vector<Message>& messages) const {
  return limits_.sent_before_ms > 0 &&
         std::all_of(messages.begin(), messages.end(), [this](const Message& message) {
           return message.sent_ms > limits_.sent_before_ms;
         });
}

void Drain::take(std::vector<Message>& messages) {
  std::size_t at = 0;
  try {
    while (at < messages.size()) {
      HeldWindow& open = open_window();
      const auto first = static_cast<std::uint32_t>(open.handles.size());
      // A group must not stand in two windows when the first may leave it in the queue: on FIFO a
      // window takes the whole answer, up to nine messages too many.
      while (at < messages.size() && (limits_.fifo || !is_full(open))) {
        const auto accepted = staging_.accept(messages[at], open, now_.steady_ms);
        if (accepted == Staging::Accepted::undecided) break;
        if (messages[at].sent_ms != 0) {
          books_.oldest_age_ms =
              std::max(books_.oldest_age_ms, now_.wall_ms - messages[at].sent_ms);
        }
        if (accepted == Staging::Accepted::again) ++books_.duplicate;
        ++at;
      }
      const auto count = static_cast<std::uint32_t>(open.handles.size()) - first;
      if (count > 0) leases_.add(open.window.number, first, count, now_.steady_ms);
      open.last_ms = now_.steady_ms;
      if (is_full(open) || at < messages.size()) seal(open);
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
  const std::int64_t number = checkpoint_.open_window(now_.wall_ms);
  HeldWindow& held = windows_.emplace_back();
  held.window.number = number;
  held.opened_ms = now_.steady_ms;
  return held;
}

void Drain::on(BatchAnswered& answer) {
  const auto made = calls_.take(answer.ticket, now_.steady_ms);
  if (!made) return;
  if (made->kind == Call::Kind::extend) extending_fails_ = false;
  if (made->kind != Call::Kind::remove) return;
  HeldWindow* held = find(made->window);
  require(held != nullptr, "a delete was answered for a window that is gone");
  removes_ =
      std::min(removes_ + 1, std::max(kMostRemoves, static_cast<std::size_t>(limits_.receivers)));
  const auto outcome = held->deletes->answered(made->positions, answer.results, now_.steady_ms);
  books_.deleted += outcome.deleted;
  books_.delete_failed += outcome.failed_for_good;
  std::vector<std::string> released;
  for (const std::uint32_t position : outcome.released) released.push_back(held->handles[position]);
  hide(released, 0, Call::Kind::give_back);
}

void Drain::on(Counted& answer) {
  if (!calls_.take(answer.ticket, now_.steady_ms)) return;
  counts_ = answer.counts;
}

void Drain::on(CallFailed& answer) {
  const auto made = calls_.take(answer.ticket, now_.steady_ms);
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

HeldWindow& Drain::back_from_warehouse(std::int64_t window) {
  HeldWindow* held = find(window);
  require(held != nullptr && at_warehouse_ == window,
          "the warehouse answered what it was not asked");
  at_warehouse_.reset();
  return *held;
}

void Drain::on(LoadAnswered& answer) {
  HeldWindow& held = back_from_warehouse(answer.window);
  measured_.load_ns += answer.took_ns;
  if (const auto* learned = std::get_if<Loaded>(&answer.result)) {
    loaded(held, *learned);
  } else if (std::holds_alternative<OtherContents>(answer.result)) {
    held.window = checkpoint_.reseal(held.window.number, new_id_());
  } else if (std::holds_alternative<NotCommitted>(answer.result)) {
    checkpoint_.set_window_aside(held.window.number);
    held.window.set_aside = true;
    log().write_with_hint(
        Level::warning, "window-set-aside",
        "a window of " + std::to_string(held.window.messages) +
            " messages is older than the ledger remembers; it is set aside and not loaded",
        "sluice status shows it; run at least once within --dedup-days");
  } else {
    const auto& failed = std::get<LoadFailed>(answer.result);
    warehouse_failed(held, failed.failure, failed.again);
  }
}

void Drain::loaded(HeldWindow& held, const Loaded& learned) {
  checkpoint_.mark_loaded(held.window.number, learned.left);
  held.window.state = WindowState::loaded;
  held.failures = 0;
  books_.learn(learned.counts);
  measured_.bytes_out += held.window.bytes;
  if (held.newest_sent_ms > 0) {
    books_.watermark_ms = std::max(books_.watermark_ms, held.newest_sent_ms);
  }
  begin_deletes(held, learned.left);
  // A duplicate may be a rejection that another worker has not forwarded yet.
  const bool nothing = learned.counts.rejected == 0 && learned.counts.duplicate == 0;
  held.forwarded = !limits_.forwards || (nothing && !learned.learned);
  log().write(Level::debug, "window-loaded", "a window is loaded",
              {{"loaded", static_cast<std::int64_t>(learned.counts.loaded)},
               {"duplicate", static_cast<std::int64_t>(learned.counts.duplicate)},
               {"rejected", static_cast<std::int64_t>(learned.counts.rejected)}});
}

void Drain::on(ForwardAnswered& answer) {
  HeldWindow& held = back_from_warehouse(answer.window);
  if (const auto* forwarded = std::get_if<Forwarded>(&answer.result)) {
    held.forwarded = true;
    books_.forwarded += forwarded->messages;
  } else {
    const auto& failed = std::get<ForwardFailed>(answer.result);
    warehouse_failed(held, failed.failure, failed.again);
  }
}

void Drain::begin_deletes(HeldWindow& held, const std::vector<std::uint32_t>& left) {
  std::vector<std::uint32_t> positions;
  if (held.carried) {
    for (Receipt& receipt : checkpoint_.receipts(held.window.number)) {
      positions.push_back(receipt.position);
      held.handles.resize(std::max<std::size_t>(held.handles.size(), receipt.position + 1));
      held.handles[receipt.position] = std::move(receipt.handle);
    }
    // Which groups they are of is not kept: as if all were of one.
    if (limits_.fifo) held.groups.assign(held.handles.size(), 0);
  } else {
    for (std::uint32_t position = 0; position < held.handles.size(); ++position) {
      if (!std::binary_search(left.begin(), left.end(), position)) positions.push_back(position);
    }
  }
  held.deletes.emplace(std::move(positions), held.groups);
}

void Drain::warehouse_failed(HeldWindow& held, const Failure& failure, bool again) {
  if (mode_ == Mode::leaving) return;
  if (held.failures++ == 0) held.failing_since_ms = now_.steady_ms;
  const std::int64_t pause =
      std::min(kLongestPauseMs, kFirstPauseMs << std::min(held.failures, 10));
  const bool in_time = now_.steady_ms + pause < held.failing_since_ms + kRetryForMs;
  if (!again || !in_time) {
    leave(StopReason::error, failure, kLeaveAfterFailureMs);
    return;
  }
  held.retry_ms = now_.steady_ms + pause;
  const bool is_load = held.window.state == WindowState::sealed;
  if (is_load) ++measured_.load_retries;
  log().write_with_hint(Level::warning, is_load ? "load-retried" : "forward-retried",
                        failure.message(), failure.hint());
}

void Drain::on(const Interrupted&) {
  if (mode_ == Mode::leaving && reason_ == StopReason::interrupted) return;
  leave(StopReason::interrupted, std::nullopt, kStopAfterMs);
}

}  // namespace sluice
