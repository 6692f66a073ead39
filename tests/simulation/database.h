// SPDX-License-Identifier: Apache-2.0
// The database that the workers of a history share: window records, ledger, rows, rejections, and
// transactions that wait for each other, are cut off, and commit when nobody listens any more. That
// the real one does what this one does is for tests/integration to show.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "job/pipeline/orders.h"
#include "tests/simulation/faults.h"
#include "tests/simulation/oracle.h"
#include "tests/simulation/queue.h"
#include "tests/simulation/timeline.h"

namespace sluice::simulation {

class Database {
 public:
  Database(Timeline& timeline, Faults& faults, Oracle& oracle, std::uint64_t seed);

  /// One worker's connection. What it left open when it is gone ends by itself, later.
  class Session;
  std::unique_ptr<Session> connect() { return std::make_unique<Session>(*this); }

  /// From now on every load takes so long.
  void slow_down(std::int64_t ms) { load_ms_ = ms; }
  /// Forgets the ledger's entries sent before this, as when its days are dropped.
  void prune_ledger(std::int64_t before_ms);
  /// Windows that stood with other contents under their id when they came again.
  int id_clashes() const { return id_clashes_; }

 private:
  struct Transaction {
    WindowId id{};
    std::set<MessageKey> holds;  // ledger entries, not committed
  };
  struct Record {
    Digest digest{};
    std::uint32_t messages = 0;
    LoadCounts counts;
  };

  bool is_held(const MessageKey& key, const Transaction* by_other_than) const;

  Timeline& timeline_;
  Faults& faults_;
  Oracle& oracle_;
  SeededRandom random_;
  std::list<Transaction> open_;  // of them, those of the dead too
  std::map<WindowId, Record> windows_;
  std::set<MessageKey> ledger_;
  int id_clashes_ = 0;
  std::int64_t load_ms_ = 1;
};

class Database::Session {
 public:
  explicit Session(Database& database) : database_(database) {}
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void load(const LoadOrder& order, Reply reply);
  void forward(const ForwardOrder& order, Reply reply);
  /// The one under way fails soon; later ones at once.
  void interrupt();

 private:
  /// Goes on with `what` after a while, unless the session is gone or the connection was cut.
  void go_on(std::int64_t ms, std::function<void()> what);
  void insert_window();
  void put_into_ledger(std::size_t at);
  void commit();
  void learn();
  void answer(Event event);
  void fail(bool may_again = true);
  /// The server ends what the client left: now or later, with or without the commit.
  void leave_behind(bool committing);
  std::vector<std::uint32_t> left() const;
  const SealedWindow& window() const { return *order_.window; }

  Database& database_;
  LoadOrder order_;
  Reply reply_;
  std::vector<std::size_t> sorted_;  // positions of the window, by key
  std::vector<std::size_t> fresh_;   // of them, what the ledger did not have
  std::vector<Oracle::Outcome> outcomes_;
  LoadCounts counts_;
  std::list<Transaction>::iterator transaction_;
  bool in_transaction_ = false;
  bool committing_ = false;
  bool interrupted_ = false;
  std::int64_t waited_ms_ = 0;
  int turn_ = 0;  // what was planned for an earlier one does not happen
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace sluice::simulation
