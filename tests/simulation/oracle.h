// SPDX-License-Identifier: Apache-2.0
// Knows what every message is and must become, hears everything that happens to it, and throws the
// moment a promise is broken.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "checkpoint/window.h"
#include "job/pipeline/books.h"
#include "tests/support/sandbox_queue.h"

namespace sluice::simulation {

/// A promise is broken; what() says which, of which message.
class Broken : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class Kind {
  good,
  bad,      // the masker rejects it
  refused,  // the database does
};

/// A message as it was sent.
struct Sent {
  MessageKey key;
  Kind kind = Kind::good;
  std::string tuple;  // its masked row; empty when it has none
  std::string group;
};

/// Of what the database and the dead-letter queue hold, only what is committed.
struct Fate {
  int rows = 0;
  int rejections = 0;
  int forwarded = 0;
  std::int64_t deliveries = 0;
  int holder = 0;  // the run that has the newest receipt and knows it; 0: nobody
};

class Oracle {
 public:
  enum class Mode { table, leave, forward, fifo };

  explicit Oracle(Mode mode) : mode_(mode) {}
  Mode mode() const { return mode_; }

  void sent(Sent message);
  std::size_t messages() const { return sent_.size(); }
  const Sent& message(std::size_t number) const { return sent_.at(number); }
  const Fate& fate(std::size_t number) const { return fates_.at(number); }
  std::size_t number_of(const MessageKey& key) const;

  /// The queue gave it to somebody, whom the answer has not reached.
  /// Counts its deliveries.
  std::int64_t given(std::size_t number);
  /// That delivery reached the run. 0: nobody.
  void taken(std::size_t number, std::int64_t delivery, int run);
  /// The run cannot know that it has it, or could not give it back: the lease must lapse.
  void excused(std::size_t number);
  /// Gone from the queue. Broken (no loss) unless its row or rejection is committed.
  void deleted(std::size_t number);
  /// In one transaction. Broken when a message is there twice, or with another's row.
  struct Outcome {
    std::size_t number;
    bool row;
    std::string_view tuple;
  };
  void committed(const WindowId& id, const std::vector<Outcome>& outcomes);
  void forwarded(std::size_t number);

  /// The run ended by itself. Broken unless its books add up, and when one of the messages `hidden`
  /// is still hidden by this run though it is in none of its windows (`held`).
  void ended(int run, const Books& books, const std::vector<std::size_t>& hidden,
             const std::set<MessageKey>& held) const;
  /// Nothing moves any more. `buried`: in the dead-letter queue by the queue's own policy.
  void rest(const SandboxQueue& queue, const std::set<MessageKey>& buried) const;

 private:
  std::string name(std::size_t number) const;
  /// Of a group of a FIFO queue nothing is committed after what came later. (In one transaction the
  /// order of rows is the database's matter: tests/integration.)
  void keep_order(const std::vector<Outcome>& outcomes);

  Mode mode_;
  std::vector<Sent> sent_;
  std::vector<Fate> fates_;
  std::map<MessageKey, std::size_t> numbers_;
  std::map<std::string, std::size_t> latest_;  // by group: the last that was committed
};

}  // namespace sluice::simulation
