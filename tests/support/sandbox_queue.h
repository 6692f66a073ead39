// SPDX-License-Identifier: Apache-2.0
// One queue of the sandbox: its messages, and SQS's rules for visibility, receipts, groups and dead
// letters. Knows nothing of HTTP; time is an argument; one thread at a time. A million small
// messages fit into 400 MB.
//
// What it does not play: retention (a message stays until it is deleted), and short polls that see
// a part of the queue only, which is a fault (`empty` for `short_polls`).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "job/base/clock.h"
#include "job/queue/queue.h"
#include "tests/support/sandbox_receipt.h"
#include "tests/support/seeded_random.h"

namespace sluice {

struct QueueRules {
  std::string name = {};  // a FIFO queue's name ends in ".fifo"
  std::string account = "000000000000";
  int visibility_s = 30;
  int retention_s = 345'600;
  int in_flight_limit = 120'000;
  int max_receive_count = 0;  // 0: no redrive policy
  std::string dead_letter_queue =
      {};  // the name of a queue made before; given with max_receive_count
  bool is_fifo() const { return name.ends_with(".fifo"); }
};

struct NewMessage {
  std::string body = {};
  std::optional<std::int64_t> sent_ms = {};  // wall clock; absent = now
  int delay_s = 0;
  std::string group = {};          // FIFO
  std::string deduplication = {};  // FIFO
  std::vector<MessageAttribute> attributes = {};
};

struct Delivery {
  std::size_t number = 0;  // of the message in this queue, from 0, in the order sent
  Message message;
  std::string deduplication;
  std::int64_t first_received_ms = 0;
};

struct QueueTally {
  std::size_t sent = 0;
  std::size_t deliveries = 0;
  std::size_t deleted = 0;
  std::size_t visible = 0;
  std::size_t in_flight = 0;
  std::size_t delayed = 0;
  std::size_t left() const { return visible + in_flight + delayed; }
};

/// Calls that SQS would refuse throw SandboxRefusal.
class SandboxQueue {
 public:
  SandboxQueue(QueueRules rules, std::uint64_t seed, SandboxQueue* dead_letters = nullptr);

  const QueueRules& rules() const { return rules_; }

  /// The number of the message; of the earlier one when it repeats a deduplication id within five
  /// minutes.
  std::size_t send(NewMessage message, Now now);
  /// Empty too when too many messages are in flight; see `is_full`.
  std::vector<Delivery> receive(int most, int visibility_s, Now now,
                                const std::string& attempt = "");
  void remove(const std::string& handle, Now now);
  void change_visibility(const std::string& handle, int visibility_s, Now now);

  QueueTally tally(Now now);
  bool is_full(Now now);
  /// When, on the steady clock, a hidden message may next become visible.
  std::optional<std::int64_t> next_change_ms() const;

  /// As it was last delivered.
  Delivery message(std::size_t number) const;
  bool is_deleted(std::size_t number) const { return entries_[number].state == State::gone; }
  /// At the last look: a lease that has ended since is not noticed.
  bool is_in_flight(std::size_t number) const { return entries_[number].state == State::in_flight; }
  std::optional<std::size_t> number_of(const std::string& handle) const;
  /// Visible again although in flight or deleted: SQS delivers at least once.
  void deliver_again(std::size_t number);
  /// Every lease ends now.
  void show_all();

 private:
  enum class State : std::uint8_t { visible, in_flight, delayed, gone };
  struct Extras {
    std::string group;
    std::string deduplication;
    std::vector<MessageAttribute> attributes;
  };
  struct Entry {
    std::string body;
    std::unique_ptr<Extras> extras;  // most messages have none
    UuidBytes id;
    std::int64_t sent_ms;
    std::int64_t first_received_ms = 0;
    std::int64_t received_steady_ms = 0;
    std::int64_t visible_at_ms = 0;  // steady; of hidden messages
    std::uint32_t receive_count = 0;
    State state = State::visible;
    bool waiting = false;  // listed in its group
  };
  /// A standard queue is one group that never blocks.
  struct Group {
    std::deque<std::size_t> waiting;  // may list messages that are gone
    std::size_t in_flight = 0;
  };
  struct Attempt {
    std::int64_t made_ms = 0;  // steady
    std::vector<SandboxReceipt> given;
  };
  using Lease =
      std::pair<std::int64_t, std::size_t>;  // end, number; stale when the entry says otherwise

  Group& group_of(const Entry& entry);
  void move_to(State state, std::size_t number);
  void hide_until(std::int64_t steady_ms, std::size_t number);
  void expire(Now now);
  bool is_exhausted(const Entry& entry) const;
  void bury(std::size_t number, Now now);
  std::vector<std::size_t> take(std::size_t most, Now now);
  std::vector<Delivery> replay(const std::string& attempt, std::int64_t visible_at_ms, Now now);
  SandboxReceipt receipt_of(const std::string& handle) const;
  std::size_t& tally_of(State state);

  QueueRules rules_;
  SandboxQueue* dead_letters_;
  SeededRandom random_;
  SandboxReceipts receipts_;
  std::deque<Entry> entries_;
  std::map<std::string, Group> groups_;
  std::priority_queue<Lease, std::vector<Lease>, std::greater<>> leases_;
  std::map<std::string, Attempt> attempts_;                                   // FIFO
  std::map<std::string, std::pair<std::size_t, std::int64_t>> deduplicated_;  // FIFO: number, when
  QueueTally tally_;
};

}  // namespace sluice
