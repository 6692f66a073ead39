// SPDX-License-Identifier: Apache-2.0
// What a window needs next, and the orders that follow. What is asked of the queue: drain_queue.cc;
// what comes in: drain_events.cc; the end: drain_stop.cc.
#include "job/pipeline/drain.h"

#include <algorithm>
#include <limits>

#include "job/pipeline/checkpoint_failure.h"

namespace sluice {
namespace {

constexpr std::uint64_t kPruneEvery = 64;  // windows
constexpr std::int64_t kDayMs = 86'400'000;

}  // namespace

Drain::Drain(const Limits& limits, Masker& masker, Checkpoint& checkpoint, std::size_t tables,
             std::function<WindowId()> new_id, Now start)
    : limits_(limits),
      checkpoint_(checkpoint),
      new_id_(std::move(new_id)),
      start_(start),
      now_(start),
      staging_(masker, checkpoint, limits.fifo),
      receiving_(limits),
      leases_(limits.visibility_s),
      books_(tables),
      next_look_ms_(start.steady_ms + limits.look_every_ms) {
  for (const Window& window : checkpoint_.unfinished()) {
    HeldWindow& held = windows_.emplace_back();
    held.window = window;
    held.carried = true;
    if (window.state == WindowState::loaded) {
      begin_deletes(held);
      held.forwarded = !limits_.forwards;
    } else {
      books_.carried_in += window.messages;
    }
  }
}

std::vector<Order> Drain::step(Event event, Now now) {
  now_ = now;
  orders_.clear();
  try {
    std::visit([this](auto& each) { on(each); }, event);
    plan();
  } catch (const CheckpointError& error) {
    leave(StopReason::error, to_failure(error), kLeaveAfterFailureMs);
    end_if_done();
  } catch (const Failure& failure) {
    leave(StopReason::error, failure, kLeaveAfterFailureMs);
    end_if_done();
  }
  return std::move(orders_);
}

Step Drain::next(const HeldWindow& held) const {
  if (held.window.set_aside) return Step::none;
  switch (held.window.state) {
    case WindowState::open:
      return is_complete(held) ? Step::seal : Step::receive;
    case WindowState::sealed:
      return Step::load;
    case WindowState::loaded:
      if (!held.forwarded) return Step::forward;
      return held.deletes->done() ? Step::close : Step::remove;
    case WindowState::closed:
      return Step::none;
  }
  bug("a window in no state");
}

bool Drain::is_full(const HeldWindow& held) const {
  return held.handles.size() >= limits_.window_messages ||
         held.window.bytes + staging_.bytes() >= limits_.window_bytes;
}

/// When an open window has waited long enough for more.
std::int64_t Drain::complete_ms(const HeldWindow& held) const {
  const std::int64_t by_age = held.opened_ms + limits_.window_time_ms;
  return limits_.fifo ? std::min(by_age, held.last_ms + kFifoLingerMs) : by_age;
}

bool Drain::is_complete(const HeldWindow& held) const {
  const bool nothing_comes = mode_ == Mode::finishing && calls_.under_way(Call::Kind::receive) == 0;
  return held.carried || is_full(held) || receiving_.saw_end() || nothing_comes ||
         now_.steady_ms >= complete_ms(held) || this->held() >= limits_.in_flight_cap;
}

void Drain::advance(HeldWindow& held) {
  if (mode_ == Mode::leaving && !(held.window.state == WindowState::loaded && held.forwarded)) {
    return;
  }
  if (next(held) == Step::seal) seal(held);
  if (next(held) == Step::load) load(held);
  if (next(held) == Step::forward) forward(held);
  if (next(held) == Step::remove) remove(held);
  if (next(held) == Step::close) close(held);
}

void Drain::seal(HeldWindow& held) {
  if (held.carried) {
    held.window = checkpoint_.seal(held.window.number, new_id_());
  } else {
    staging_.seal(held, new_id_());
  }
  held.positions.clear();
  held.group_numbers.clear();
  held.receive_counts.clear();
}

/// When the warehouse may be asked for the window; far away while another one is first.
std::int64_t Drain::ask_warehouse_ms(const HeldWindow& held) const {
  constexpr std::int64_t kNotYet = std::numeric_limits<std::int64_t>::max();
  if (at_warehouse_) return kNotYet;
  // A group may stand in two windows: the later one must not be loaded first.
  const bool behind =
      limits_.fifo &&
      std::any_of(windows_.begin(), windows_.end(), [&held](const HeldWindow& other) {
        return other.window.number < held.window.number && !other.window.set_aside &&
               other.window.state < WindowState::loaded;
      });
  return behind ? kNotYet : held.retry_ms;
}

void Drain::load(HeldWindow& held) {
  if (now_.steady_ms < ask_warehouse_ms(held)) return;
  auto contents = std::make_shared<SealedWindow>(checkpoint_.read(held.window.number));
  for (const StagedMessage& message : contents->messages) {
    held.newest_sent_ms = std::max(held.newest_sent_ms, message.key.sent_ms);
  }
  // The ledger may have forgotten messages this old: they could be there already, and nobody would
  // know.
  const std::int64_t queue_ms = now_.wall_ms + limits_.clock_offset_ms;
  const bool too_old = held.carried && !limits_.archive &&
                       held.window.oldest_sent_ms < queue_ms - (limits_.dedup_ms - kDayMs);
  at_warehouse_ = held.window.number;
  orders_.push_back(LoadOrder{std::move(contents), too_old});
}

void Drain::forward(HeldWindow& held) {
  if (now_.steady_ms < ask_warehouse_ms(held)) return;
  at_warehouse_ = held.window.number;
  orders_.push_back(
      ForwardOrder{std::make_shared<const SealedWindow>(checkpoint_.read(held.window.number))});
}

void Drain::remove(HeldWindow& held) {
  while (calls_.under_way(Call::Kind::remove) < removes_) {
    std::vector<std::uint32_t> positions = held.deletes->take(now_.steady_ms);
    if (positions.empty()) break;
    RemoveOrder order;
    for (const std::uint32_t position : positions) order.handles.push_back(held.handles[position]);
    Call made{Call::Kind::remove};
    made.asked_ms = now_.steady_ms;
    made.window = held.window.number;
    made.positions = std::move(positions);
    order.ticket = calls_.add(std::move(made));
    orders_.push_back(std::move(order));
  }
}

void Drain::close(HeldWindow& held) {
  checkpoint_.close(held.window.number, now_.wall_ms);
  held.window.state = WindowState::closed;
  leases_.forget(held.window.number);
  closed_bytes_ += held.window.bytes;
  if (++closed_ % kPruneEvery == 0 || closed_bytes_ > limits_.keep_closed_bytes / 4) prune();
}

void Drain::prune() {
  closed_bytes_ = 0;
  checkpoint_.prune(now_.wall_ms - limits_.dedup_ms, limits_.keep_closed_bytes);
}

void Drain::plan() {
  if (ended_) return;
  const bool runtime_over =
      limits_.max_runtime_ms > 0 && now_.steady_ms - start_.steady_ms >= limits_.max_runtime_ms;
  if (mode_ == Mode::running && runtime_over) finish(StopReason::max_runtime);
  if (limits_.max_messages > 0 && books_.received >= limits_.max_messages) {
    finish(StopReason::max_messages);
  }
  if (mode_ != Mode::leaving && staging_.is_due(now_.steady_ms)) staging_.flush(open_window());
  for (HeldWindow& held : windows_) advance(held);
  for (const HeldWindow& held : windows_) {
    if (mode_ == Mode::running && held.deletes && held.deletes->given_up()) {
      finish(StopReason::error, Failure(Fault::temporary,
                                        "queue: " + std::to_string(held.deletes->left()) +
                                            " loaded messages could not be deleted",
                                        "run again: the next run deletes them first"));
    }
  }
  windows_.remove_if(
      [](const HeldWindow& held) { return held.window.state == WindowState::closed; });
  extend();
  receive();
  look();
  end_if_done();
}

void Drain::end_if_done() {
  if (ended_) return;
  if (mode_ == Mode::leaving) {
    if (interrupt_load_ms_ > 0 && now_.steady_ms >= interrupt_load_ms_) {
      interrupt_load_ms_ = 0;
      if (at_warehouse_) orders_.push_back(InterruptOrder{});
    }
    const bool waits = at_warehouse_ || !calls_.none();
    if (waits && now_.steady_ms < leave_by_ms_) return;
    close_books();
    return;
  }
  const bool at_rest = std::all_of(windows_.begin(), windows_.end(), [](const HeldWindow& held) {
    return held.window.set_aside || (held.deletes && held.deletes->at_rest());
  });
  if (!at_rest || !calls_.none() || at_warehouse_) return;
  if (mode_ == Mode::running && !receiving_.looks_drained()) return;
  if (!failure_ && !final_look_) {
    final_look_ = true;
    orders_.push_back(CountOrder{calls_.add(Call{Call::Kind::count})});
    return;
  }
  // Two empty long polls decide; a counter that disagrees earns a few more.
  const bool disagrees = limits_.sent_before_ms == 0 && counts_ && counts_->visible > 0;
  if (mode_ == Mode::running && disagrees && receiving_.doubt()) {
    final_look_ = false;
    receive();
    return;
  }
  finish(StopReason::drained);
  close_books();
}

HeldWindow* Drain::find(std::int64_t number) {
  for (HeldWindow& held : windows_) {
    if (held.window.number == number) return &held;
  }
  return nullptr;
}

std::int64_t Drain::wake_ms() const {
  if (mode_ == Mode::leaving) return interrupt_load_ms_ > 0 ? interrupt_load_ms_ : leave_by_ms_;
  std::int64_t wake = leases_.next_due_ms();
  if (may_look()) wake = std::min(wake, next_look_ms_);
  if (receive_after_ms_ > now_.steady_ms) wake = std::min(wake, receive_after_ms_);
  if (limits_.max_runtime_ms > 0 && mode_ == Mode::running) {
    wake = std::min(wake, start_.steady_ms + limits_.max_runtime_ms);
  }
  wake = std::min(wake, staging_.due_ms());
  for (const HeldWindow& held : windows_) {
    if (held.deletes && held.forwarded) wake = std::min(wake, held.deletes->retry_ms());
    const Step step = next(held);
    if (step == Step::load || step == Step::forward) wake = std::min(wake, ask_warehouse_ms(held));
    if (held.window.state == WindowState::open) {
      wake = std::min(wake, complete_ms(held));
    }
  }
  return wake;
}

}  // namespace sluice
