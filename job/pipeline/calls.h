// SPDX-License-Identifier: Apache-2.0
// Orders to the queue that are under way, by ticket.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "job/queue/queue.h"

namespace sluice {

struct Call {
  enum class Kind { receive, remove, extend, give_back, count } kind;
  static constexpr std::size_t kKinds = 5;
  std::int64_t asked_ms = 0;  // steady clock; not of a count
  // Of a receive.
  int most = 0;
  int wait_s = 0;
  bool nothing_held = false;
  // Of a remove.
  std::int64_t window = 0;
  std::vector<std::uint32_t> positions = {};
};

class Calls {
 public:
  Ticket add(Call call);
  /// Of the answer that came; none when it is not ours.
  std::optional<Call> take(Ticket ticket, std::int64_t now_ms);

  bool none() const;
  std::size_t under_way(Call::Kind kind) const { return of(kind).size(); }
  /// When the one was asked for that has been under way longest; far away when there is none.
  std::int64_t oldest_ms(Call::Kind kind) const;
  /// Messages that receives under way may bring.
  std::uint64_t asked() const { return asked_; }
  /// For how long, until now, at least one was under way.
  std::int64_t busy_ms(Call::Kind kind, std::int64_t now_ms) const;

 private:
  using ByTicket = std::map<Ticket, Call>;  // tickets count upwards: the oldest stands first
  const ByTicket& of(Call::Kind kind) const { return calls_[static_cast<std::size_t>(kind)]; }

  std::array<ByTicket, Call::kKinds> calls_;
  std::array<std::int64_t, Call::kKinds> began_ms_{};  // while some are under way
  std::array<std::int64_t, Call::kKinds> busy_ms_{};   // before that
  Ticket last_ = 0;
  std::uint64_t asked_ = 0;
};

}  // namespace sluice
