// SPDX-License-Identifier: Apache-2.0
#include "job/pipeline/drain.h"

#include <algorithm>
#include <numeric>

#include "job/base/log.h"
#include "job/pipeline/checkpoint_failure.h"

namespace sluice {
namespace {

constexpr int kReceiveBatch = 10;  // SQS gives no more at once
// Deletes side by side, in calls of ten: few at first, one more with each answer.
constexpr std::size_t kFirstRemoves = 2;
constexpr std::size_t kMostRemoves = 16;
constexpr std::size_t kStageMessages =
    1000;  // a commit costs four fsyncs: not one for each receive
constexpr std::int64_t kStageAfter_ms = 500;
constexpr std::int64_t kLimitPause_ms = 1'000;
constexpr std::int64_t kLookEvery_ms = 10'000;
constexpr std::int64_t kRetryLoadsFor_ms = 60'000;
constexpr std::int64_t kFirstLoadPause_ms = 250;
constexpr std::int64_t kLongestLoadPause_ms = 5'000;
constexpr std::int64_t kLeaveAfterFailure_ms = 60'000;
constexpr std::int64_t kDay_ms = 86'400'000;

}  // namespace

Drain::Drain(const Limits& limits, Masker& masker, Checkpoint& checkpoint, std::size_t tables,
             std::function<WindowId()> new_id, Now start)
    : limits_(limits),
      masker_(masker),
      checkpoint_(checkpoint),
      new_id_(std::move(new_id)),
      start_(start),
      now_(start),
      receiving_(limits),
      leases_(limits.visibility_s),
      books_(tables),
      removes_(kFirstRemoves),
      next_look_ms_(start.steady_ms + kLookEvery_ms) {
  for (const Window& window : checkpoint_.unfinished()) {
    HeldWindow& held = windows_.emplace_back();
    held.window = window;
    held.carried = true;
    if (window.state == WindowState::loaded) {
      begin_deletes(held);
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
    leave(StopReason::error, to_failure(error), kLeaveAfterFailure_ms);
    end_if_done();
  } catch (const Failure& failure) {
    leave(StopReason::error, failure, kLeaveAfterFailure_ms);
    end_if_done();
  }
  return std::move(orders_);
}

// ---- what a window needs ----

Step Drain::next(const HeldWindow& held) const {
  if (held.window.set_aside) return Step::none;
  switch (held.window.state) {
    case WindowState::open:
      return is_complete(held) ? Step::seal : Step::receive;
    case WindowState::sealed:
      return Step::load;
    case WindowState::loaded:
      return held.deletes->done() ? Step::close : Step::remove;
    case WindowState::closed:
      return Step::none;
  }
  bug("a window in no state");
}

bool Drain::is_full(const HeldWindow& held) const {
  return held.handles.size() >= limits_.window_messages ||
         held.window.bytes + batch_.bytes().size() >= limits_.window_bytes;
}

bool Drain::is_complete(const HeldWindow& held) const {
  const bool nothing_comes = mode_ == Mode::finishing && under_way(Call::Kind::receive) == 0;
  return held.carried || is_full(held) || receiving_.saw_empty() || nothing_comes ||
         now_.wall_ms - held.window.opened_ms >= limits_.window_time_ms ||
         this->held() >= limits_.in_flight_cap;
}

void Drain::advance(HeldWindow& held) {
  if (mode_ == Mode::leaving && held.window.state != WindowState::loaded) return;
  if (next(held) == Step::seal) seal(held);
  if (next(held) == Step::load) load(held);
  if (next(held) == Step::remove) remove(held);
  if (next(held) == Step::close) close(held);
}

void Drain::seal(HeldWindow& held) {
  if (!held.carried) flush();
  held.window = checkpoint_.seal(held.window.number, new_id_());
  held.positions.clear();
}

void Drain::load(HeldWindow& held) {
  if (loading_ || now_.steady_ms < held.retry_load_ms) return;
  auto contents = std::make_shared<SealedWindow>(checkpoint_.read(held.window.number));
  for (const StagedMessage& message : contents->messages) {
    held.newest_sent_ms = std::max(held.newest_sent_ms, message.key.sent_ms);
  }
  // The ledger may have forgotten messages this old: they could be there already, and nobody would
  // know.
  const bool too_old =
      held.carried && held.window.oldest_sent_ms < now_.wall_ms - (limits_.dedup_ms - kDay_ms);
  loading_ = held.window.number;
  orders_.push_back(LoadOrder{std::move(contents), too_old});
}

void Drain::remove(HeldWindow& held) {
  while (under_way(Call::Kind::remove) < removes_) {
    std::vector<std::uint32_t> positions = held.deletes->take(now_.steady_ms);
    if (positions.empty()) break;
    RemoveOrder order;
    for (const std::uint32_t position : positions) order.handles.push_back(held.handles[position]);
    Call made{Call::Kind::remove};
    made.window = held.window.number;
    made.positions = std::move(positions);
    order.ticket = call(std::move(made));
    orders_.push_back(std::move(order));
  }
}

void Drain::close(HeldWindow& held) {
  checkpoint_.close(held.window.number, now_.wall_ms);
  held.window.state = WindowState::closed;
  checkpoint_.prune(now_.wall_ms - limits_.dedup_ms, limits_.keep_closed_bytes);
}

// ---- what comes in ----

void Drain::on(Received& answer) {
  const auto made = answered(answer.ticket);
  if (!made) return;
  books_.received += answer.messages.size();
  if (mode_ == Mode::leaving) {
    return_from(answer.messages, 0);
  } else if (answer.in_flight_limit && held() > 0) {
    receive_after_ms_ = now_.steady_ms + kLimitPause_ms;
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
        accept(messages[at], open);
        ++at;
      }
      const auto count = static_cast<std::uint32_t>(open.handles.size()) - first;
      if (count > 0) leases_.add(open.window.number, first, count, now_.steady_ms);
      if (is_full(open)) seal(open);
    }
    if (batch_.messages() >= kStageMessages) flush();
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
  held.window.opened_ms = now_.wall_ms;
  return held;
}

void Drain::accept(const Message& message, HeldWindow& open) {
  books_.oldest_age_ms = std::max(books_.oldest_age_ms, now_.wall_ms - message.sent_ms);
  const auto position = static_cast<std::uint32_t>(open.handles.size());
  const auto [known, is_new] = open.positions.emplace(message.id, position);
  if (is_new) {
    if (batch_.empty()) batch_since_ms_ = now_.steady_ms;
    masker_.stage(message, batch_);
    open.handles.push_back(message.receipt);
    fresh_.push_back({position, message.receipt});
    return;
  }
  // Staged twice in one window: it keeps its row and takes the newest receipt, the only one that
  // surely deletes.
  ++books_.duplicate;
  open.handles[known->second] = message.receipt;
  if (known->second < open.window.messages) {
    renewed_.push_back({known->second, message.receipt});
  } else {
    fresh_[known->second - open.window.messages].handle = message.receipt;
  }
}

void Drain::flush() {
  if (batch_.empty() && renewed_.empty()) return;
  HeldWindow& open = open_window();
  checkpoint_.stage(open.window.number, batch_, fresh_, renewed_);
  open.window.messages += batch_.messages();
  open.window.bytes += batch_.bytes().size();
  batch_.clear();
  fresh_.clear();
  renewed_.clear();
}

void Drain::on(BatchAnswered& answer) {
  const auto made = answered(answer.ticket);
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
  if (!answered(answer.ticket)) return;
  counts_ = answer.counts;
}

void Drain::on(CallFailed& answer) {
  const auto made = answered(answer.ticket);
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
      std::min(kLongestLoadPause_ms, kFirstLoadPause_ms << std::min(held.load_failures, 10));
  const bool in_time = now_.steady_ms + pause < held.load_failing_since_ms + kRetryLoadsFor_ms;
  if (!failed.again || !in_time) {
    leave(StopReason::error, failed.failure, kLeaveAfterFailure_ms);
    return;
  }
  held.retry_load_ms = now_.steady_ms + pause;
  log().write_with_hint(Level::warning, "load-retried", failed.failure.message(),
                        failed.failure.hint());
}

void Drain::on(const Interrupted&) {
  if (mode_ == Mode::leaving && reason_ == StopReason::interrupted) return;
  leave(StopReason::interrupted, std::nullopt, kStopAfter_ms);
}

// ---- what goes out ----

void Drain::plan() {
  if (ended_) return;
  const bool runtime_over =
      limits_.max_runtime_ms > 0 && now_.steady_ms - start_.steady_ms >= limits_.max_runtime_ms;
  if (mode_ == Mode::running && runtime_over) finish(StopReason::max_runtime);
  if (limits_.max_messages > 0 && books_.received >= limits_.max_messages) {
    finish(StopReason::max_messages);
  }
  if (mode_ != Mode::leaving && !batch_.empty() &&
      now_.steady_ms - batch_since_ms_ >= kStageAfter_ms) {
    flush();
  }
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

void Drain::extend() {
  if (mode_ == Mode::leaving) return;
  while (const auto lease = leases_.take_due(now_.steady_ms)) {
    const HeldWindow* held = find(lease->window);
    if (held == nullptr || held->window.state == WindowState::loaded)
      continue;  // deleted any moment
    for (std::uint32_t at = lease->first; at < lease->first + lease->count; at += kReceiveBatch) {
      HideOrder order;
      const std::uint32_t end = std::min(at + kReceiveBatch, lease->first + lease->count);
      for (std::uint32_t i = at; i < end; ++i) order.handles.push_back(held->handles[i]);
      order.visibility_s = limits_.visibility_s;
      order.ticket = call(Call{Call::Kind::extend});
      orders_.push_back(std::move(order));
    }
    leases_.renew(*lease, now_.steady_ms);
  }
}

void Drain::receive() {
  if (mode_ != Mode::running || has_carried() || extending_fails_ || receiving_.looks_drained())
    return;
  while (under_way(Call::Kind::receive) < static_cast<std::size_t>(receiving_.parallel())) {
    const std::uint64_t most = std::min<std::uint64_t>(kReceiveBatch, room());
    if (most == 0) return;
    Call made{Call::Kind::receive};
    made.most = static_cast<int>(most);
    made.wait_s = receiving_.poll_s();
    made.asked_ms = now_.steady_ms;
    made.nothing_held = held() == 0;
    ReceiveOrder order{0, made.most, made.wait_s, limits_.visibility_s};
    order.ticket = call(std::move(made));
    orders_.push_back(order);
  }
}

void Drain::look() {
  if (mode_ != Mode::running || now_.steady_ms < next_look_ms_ || under_way(Call::Kind::count) > 0)
    return;
  next_look_ms_ = now_.steady_ms + kLookEvery_ms;
  orders_.push_back(CountOrder{call(Call{Call::Kind::count})});
}

void Drain::end_if_done() {
  if (ended_) return;
  if (mode_ == Mode::leaving) {
    if (interrupt_load_ms_ > 0 && now_.steady_ms >= interrupt_load_ms_) {
      interrupt_load_ms_ = 0;
      if (loading_) orders_.push_back(InterruptLoadOrder{});
    }
    const bool waits = loading_ || !calls_.empty();
    if (waits && now_.steady_ms < leave_by_ms_) return;
    close_books();
    return;
  }
  const bool at_rest = std::all_of(windows_.begin(), windows_.end(), [](const HeldWindow& held) {
    return held.window.set_aside || (held.deletes && held.deletes->at_rest());
  });
  if (!at_rest || !calls_.empty() || loading_) return;
  if (mode_ == Mode::running && !receiving_.looks_drained()) return;
  if (!failure_ && !final_look_) {
    final_look_ = true;
    orders_.push_back(CountOrder{call(Call{Call::Kind::count})});
    return;
  }
  // Two empty long polls decide; a counter that disagrees earns a few more.
  if (mode_ == Mode::running && counts_ && counts_->visible > 0 && receiving_.doubt()) {
    final_look_ = false;
    receive();
    return;
  }
  finish(StopReason::drained);
  close_books();
}

// ---- stopping ----

void Drain::finish(StopReason reason, std::optional<Failure> failure) {
  if (mode_ != Mode::running) return;
  mode_ = Mode::finishing;
  reason_ = reason;
  failure_ = std::move(failure);
}

void Drain::leave(StopReason reason, std::optional<Failure> failure, std::int64_t within_ms) {
  const bool signalled = reason == StopReason::interrupted;
  if (mode_ == Mode::leaving && !signalled) return;
  mode_ = Mode::leaving;
  reason_ = reason;
  failure_ = std::move(failure);
  leave_by_ms_ = now_.steady_ms + within_ms;
  interrupt_load_ms_ = signalled ? now_.steady_ms + kStopLoadAfter_ms : 0;
  return_unstaged();
}

void Drain::return_unstaged() {
  for (HeldWindow& held : windows_) {
    if (held.window.state != WindowState::open || held.carried) continue;
    const std::vector<std::string> unstaged(
        held.handles.begin() + static_cast<std::ptrdiff_t>(held.window.messages),
        held.handles.end());
    held.handles.resize(held.window.messages);
    books_.returned += unstaged.size();
    give_back(unstaged);
  }
  batch_.clear();
  fresh_.clear();
  renewed_.clear();
}

void Drain::return_from(const std::vector<Message>& messages, std::size_t first) {
  std::vector<std::string> handles;
  for (std::size_t i = first; i < messages.size(); ++i) handles.push_back(messages[i].receipt);
  books_.returned += handles.size();
  give_back(handles);
}

void Drain::give_back(const std::vector<std::string>& handles) {
  for (std::size_t at = 0; at < handles.size(); at += kReceiveBatch) {
    const std::size_t end = std::min(at + kReceiveBatch, handles.size());
    HideOrder order;
    order.handles.assign(handles.begin() + static_cast<std::ptrdiff_t>(at),
                         handles.begin() + static_cast<std::ptrdiff_t>(end));
    order.ticket = call(Call{Call::Kind::give_back});
    orders_.push_back(std::move(order));
  }
}

void Drain::close_books() {
  ended_ = true;
  std::uint64_t left = 0;
  for (const HeldWindow& held : windows_) {
    if (held.window.state == WindowState::open || held.window.state == WindowState::sealed) {
      books_.carried_out += held.window.messages;
    }
    if (!held.deletes || held.deletes->done()) continue;
    left += held.deletes->left();
    keep_leftover(held);
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
  if (held.deletes->under_way()) return;
  std::vector<Receipt> receipts;
  for (const std::uint32_t position : held.deletes->leftover()) {
    receipts.push_back({position, held.handles[position]});
  }
  try {
    checkpoint_.keep_receipts(held.window.number, receipts);
  } catch (const CheckpointError& error) {
    log().write(Level::warning, "receipts-kept", error.what());
  }
}

// ---- bookkeeping ----

Ticket Drain::call(Call made) {
  asked_ += static_cast<std::uint64_t>(made.most);
  calls_.emplace(++last_ticket_, std::move(made));
  return last_ticket_;
}

std::optional<Drain::Call> Drain::answered(Ticket ticket) {
  auto found = calls_.extract(ticket);
  if (found.empty()) return std::nullopt;
  asked_ -= static_cast<std::uint64_t>(found.mapped().most);
  return std::move(found.mapped());
}

std::size_t Drain::under_way(Call::Kind kind) const {
  return static_cast<std::size_t>(std::count_if(
      calls_.begin(), calls_.end(), [kind](const auto& each) { return each.second.kind == kind; }));
}

HeldWindow* Drain::find(std::int64_t number) {
  for (HeldWindow& held : windows_) {
    if (held.window.number == number) return &held;
  }
  return nullptr;
}

std::uint64_t Drain::held() const {
  std::uint64_t count = 0;
  for (const HeldWindow& held : windows_) {
    if (held.window.set_aside) continue;
    count += held.deletes ? held.deletes->left()
                          : std::max<std::uint64_t>(held.handles.size(), held.window.messages);
  }
  return count;
}

std::uint64_t Drain::room() const {
  const auto left = [this](std::uint64_t limit, std::uint64_t used) {
    return limit > used + asked_ ? limit - used - asked_ : 0;
  };
  const std::uint64_t room = left(limits_.in_flight_cap, held());
  if (limits_.max_messages == 0) return room;
  return std::min(room, left(limits_.max_messages, books_.received));
}

bool Drain::has_carried() const {
  return std::any_of(windows_.begin(), windows_.end(), [](const HeldWindow& held) {
    return held.carried && !held.window.set_aside && held.window.state != WindowState::closed;
  });
}

std::int64_t Drain::wake_ms() const {
  if (mode_ == Mode::leaving) return interrupt_load_ms_ > 0 ? interrupt_load_ms_ : leave_by_ms_;
  std::int64_t wake = std::min(leases_.next_due_ms(), next_look_ms_);
  if (receive_after_ms_ > now_.steady_ms) wake = std::min(wake, receive_after_ms_);
  if (limits_.max_runtime_ms > 0 && mode_ == Mode::running) {
    wake = std::min(wake, start_.steady_ms + limits_.max_runtime_ms);
  }
  if (!batch_.empty()) wake = std::min(wake, batch_since_ms_ + kStageAfter_ms);
  for (const HeldWindow& held : windows_) {
    if (held.deletes) wake = std::min(wake, held.deletes->retry_ms());
    if (held.window.state == WindowState::sealed && !loading_)
      wake = std::min(wake, held.retry_load_ms);
    if (held.window.state == WindowState::open) {
      const std::int64_t age = now_.wall_ms - held.window.opened_ms;
      wake =
          std::min(wake, now_.steady_ms + std::max<std::int64_t>(0, limits_.window_time_ms - age));
    }
  }
  return wake;
}

}  // namespace sluice
