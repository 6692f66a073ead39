// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/oracle.h"

#include <algorithm>

#include "job/base/encoding.h"

namespace sluice::simulation {

std::string Oracle::name(std::size_t number) const {
  constexpr const char* kKinds[] = {"good", "bad", "refused"};
  return "message " + std::to_string(number) + " (" + kKinds[static_cast<int>(sent_[number].kind)] +
         ")";
}

void Oracle::sent(Sent message) {
  numbers_.emplace(message.key, sent_.size());
  sent_.push_back(std::move(message));
  fates_.emplace_back();
}

std::size_t Oracle::number_of(const MessageKey& key) const {
  const auto found = numbers_.find(key);
  if (found == numbers_.end()) throw Broken("a message was loaded that was never sent");
  return found->second;
}

std::int64_t Oracle::given(std::size_t number) {
  fates_[number].holder = 0;
  return ++fates_[number].deliveries;
}

void Oracle::taken(std::size_t number, std::int64_t delivery, int run) {
  if (fates_[number].deliveries == delivery) fates_[number].holder = run;
}

void Oracle::excused(std::size_t number) { fates_[number].holder = 0; }

void Oracle::deleted(std::size_t number) {
  const Fate& fate = fates_[number];
  fates_[number].holder = 0;
  if (fate.rows > 0 || (fate.rejections > 0 && mode_ != Mode::forward)) return;
  if (fate.rejections > 0 && fate.forwarded > 0) return;
  throw Broken("no loss: " + name(number) + " was deleted, and " +
               (fate.rejections > 0 ? "its rejection was not forwarded" : "nothing is committed"));
}

void Oracle::committed(const WindowId& id, const std::vector<Outcome>& outcomes) {
  for (const auto& [number, row, tuple] : outcomes) {
    Fate& fate = fates_.at(number);
    const Sent& sent = sent_[number];
    ++(row ? fate.rows : fate.rejections);
    if (fate.rows + fate.rejections > 1) {
      throw Broken("no duplicate: " + name(number) + " was committed again, by window " +
                   to_hex({reinterpret_cast<const char*>(id.data()), id.size()}));
    }
    if (row != (sent.kind == Kind::good)) {
      throw Broken("whole windows: " + name(number) + " became what it is not");
    }
    if (row && tuple != sent.tuple) {
      throw Broken("whole windows: " + name(number) + " has the row of another");
    }
  }
  if (mode_ == Mode::fifo) keep_order(outcomes);
}

void Oracle::keep_order(const std::vector<Outcome>& outcomes) {
  const std::map<std::string, std::size_t> before = latest_;
  for (const auto& [number, row, tuple] : outcomes) {
    const std::string& group = sent_[number].group;
    const auto latest = before.find(group);
    if (latest != before.end() && latest->second > number) {
      throw Broken("order: " + name(number) + " was committed after a later one of its group");
    }
    latest_[group] = std::max(latest_[group], number);
  }
}

void Oracle::forwarded(std::size_t number) { ++fates_.at(number).forwarded; }

void Oracle::ended(int run, const Books& books, const std::vector<std::size_t>& hidden,
                   const std::set<MessageKey>& held) const {
  if (!books.add_up()) {
    throw Broken("accounted: the books of run " + std::to_string(run) +
                 " do not add up: " + std::to_string(books.received) + " received, " +
                 std::to_string(books.carried_in) + " carried in, " + std::to_string(books.loaded) +
                 " loaded, " + std::to_string(books.duplicate) + " duplicate, " +
                 std::to_string(books.rejected) + " rejected, " + std::to_string(books.returned) +
                 " returned, " + std::to_string(books.carried_out) + " carried out");
  }
  for (const std::size_t number : hidden) {
    if (fates_[number].holder != run || held.contains(sent_[number].key)) continue;
    if (mode_ == Mode::leave && sent_[number].kind != Kind::good) continue;
    throw Broken("bounded: run " + std::to_string(run) + " ended and " + name(number) +
                 " stays hidden");
  }
}

void Oracle::rest(const SandboxQueue& queue, const std::set<MessageKey>& buried) const {
  for (std::size_t number = 0; number < sent_.size(); ++number) {
    const Fate& fate = fates_[number];
    const bool dead = buried.contains(sent_[number].key);
    if (fate.rows + fate.rejections != 1 && !dead) {
      throw Broken("no loss: " + name(number) + " is nowhere in the end");
    }
    if (mode_ == Mode::forward && fate.rejections > 0 && fate.forwarded == 0) {
      throw Broken("no loss: the rejection of " + name(number) + " was never forwarded");
    }
    if (!queue.is_deleted(number)) {
      throw Broken("progress: " + name(number) + " is still in the queue in the end");
    }
  }
}

}  // namespace sluice::simulation
