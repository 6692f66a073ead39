// SPDX-License-Identifier: Apache-2.0
// The heart: what is asked of the queue beside deletes, and how much.
#include <algorithm>

#include "job/pipeline/drain.h"

namespace sluice {

void Drain::extend() {
  if (mode_ == Mode::leaving) return;
  while (const auto lease = leases_.take_due(now_.steady_ms)) {
    const HeldWindow* held = find(lease->window);
    if (held == nullptr) continue;
    std::vector<std::string> handles;
    for (std::uint32_t at = lease->first; at < lease->first + lease->count; ++at) {
      if (!held->deletes || held->deletes->is_left(at)) handles.push_back(held->handles[at]);
    }
    if (handles.empty()) continue;
    const int visibility_s = leases_.renew(*lease, now_.steady_ms);
    if (visibility_s > 0) hide(handles, visibility_s, Call::Kind::extend);
  }
}

void Drain::hide(const std::vector<std::string>& handles, int visibility_s, Call::Kind kind) {
  for (std::size_t at = 0; at < handles.size(); at += kBatch) {
    const std::size_t end = std::min(at + kBatch, handles.size());
    HideOrder order;
    order.handles.assign(handles.begin() + static_cast<std::ptrdiff_t>(at),
                         handles.begin() + static_cast<std::ptrdiff_t>(end));
    order.visibility_s = visibility_s;
    Call made{kind};
    made.asked_ms = now_.steady_ms;
    order.ticket = calls_.add(std::move(made));
    orders_.push_back(std::move(order));
  }
}

/// Half of the lease was left when the extension was asked for; of that, half is gone.
bool Drain::extending_is_late() const {
  return calls_.oldest_ms(Call::Kind::extend) <= now_.steady_ms - limits_.visibility_s * 1000LL / 4;
}

bool Drain::may_receive() const {
  // What an earlier run left is finished first: a loaded message must not walk to the dead-letter
  // queue. And more messages would only add leases that lapse while extensions fall behind.
  return mode_ == Mode::running && !has_carried() && !extending_fails_ && !extending_is_late() &&
         !disk_is_full() && !receiving_.looks_drained() && !receiving_.finishes_first() &&
         now_.steady_ms >= receive_after_ms_;
}

void Drain::receive() {
  if (held() == 0) {
    receiving_.idle();
    extending_fails_ = false;  // nothing is left whose lease could lapse
  }
  if (!may_receive()) return;
  while (calls_.under_way(Call::Kind::receive) < static_cast<std::size_t>(receiving_.parallel())) {
    const std::uint64_t most = std::min<std::uint64_t>(kBatch, room());
    if (most == 0) return;
    Call made{Call::Kind::receive};
    made.asked_ms = now_.steady_ms;
    made.most = static_cast<int>(most);
    made.wait_s = receiving_.poll_s();
    made.nothing_held = held() == 0;
    ReceiveOrder order{0, made.most, made.wait_s, limits_.visibility_s};
    order.ticket = calls_.add(std::move(made));
    orders_.push_back(order);
  }
}

bool Drain::may_look() const {
  return mode_ == Mode::running && calls_.under_way(Call::Kind::count) == 0;
}

void Drain::look() {
  if (!may_look() || now_.steady_ms < next_look_ms_) return;
  next_look_ms_ = now_.steady_ms + limits_.look_every_ms;
  orders_.push_back(CountOrder{calls_.add(Call{Call::Kind::count})});
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
    return limit > used + calls_.asked() ? limit - used - calls_.asked() : 0;
  };
  const std::uint64_t room = left(limits_.in_flight_cap, held());
  if (limits_.max_messages == 0) return room;
  return std::min(room, left(limits_.max_messages, books_.received));
}

bool Drain::disk_is_full() const {
  std::uint64_t bytes = 0;
  for (const HeldWindow& held : windows_) bytes += held.window.bytes;
  return bytes + staging_.bytes() >= 2 * limits_.window_bytes;
}

bool Drain::has_carried() const {
  return std::any_of(windows_.begin(), windows_.end(), [](const HeldWindow& held) {
    return held.carried && !held.window.set_aside && held.window.state != WindowState::closed;
  });
}

}  // namespace sluice
