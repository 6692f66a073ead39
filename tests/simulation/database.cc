// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/database.h"

#include <algorithm>
#include <numeric>

namespace sluice::simulation {
namespace {

constexpr std::int64_t kLockWaitMs = 10'000;

sluice::Failure away() { return {sluice::Fault::temporary, "postgres: away", "run again"}; }

}  // namespace

Database::Database(Timeline& timeline, Faults& faults, Oracle& oracle, std::uint64_t seed)
    : timeline_(timeline), faults_(faults), oracle_(oracle), random_(seed) {}

void Database::prune_ledger(std::int64_t before_ms) {
  std::erase_if(ledger_, [before_ms](const MessageKey& key) { return key.sent_ms < before_ms; });
}

bool Database::is_held(const MessageKey& key, const Transaction* by_other_than) const {
  return std::any_of(open_.begin(), open_.end(), [&](const Transaction& each) {
    return &each != by_other_than && each.holds.contains(key);
  });
}

Database::Session::~Session() {
  *alive_ = false;
  if (in_transaction_) leave_behind(committing_);
}

void Database::Session::go_on(std::int64_t ms, std::function<void()> what) {
  database_.timeline_.after(ms, [this, alive = alive_, turn = turn_, what = std::move(what)] {
    if (*alive && turn == turn_) what();
  });
}

void Database::Session::load(const LoadOrder& order, Reply reply) {
  order_ = order;
  reply_ = std::move(reply);
  ++turn_;
  if (interrupted_) return fail();
  Faults& faults = database_.faults_;
  std::int64_t ms = database_.load_ms_ + static_cast<std::int64_t>(database_.random_.below(40));
  if (faults.strikes(Fault::slow_load)) {
    ms += static_cast<std::int64_t>(faults.details(Fault::slow_load).below(90'000));
  }
  go_on(ms, [this] {
    if (database_.faults_.strikes(Fault::database_away)) return fail();
    insert_window();
  });
}

void Database::Session::insert_window() {
  const WindowId& id = window().window.id;
  const bool in_flight = std::any_of(database_.open_.begin(), database_.open_.end(),
                                     [&](const Transaction& each) { return each.id == id; });
  if (in_flight) {  // the insert of a key that another transaction holds waits for its end
    if ((waited_ms_ += 50) > kLockWaitMs) return fail();
    return go_on(50, [this] { insert_window(); });
  }
  if (database_.windows_.contains(id)) return learn();
  if (order_.only_if_committed) return answer(LoadAnswered{window().window.number, NotCommitted{}});
  transaction_ = database_.open_.insert(database_.open_.end(), {id, {}});
  in_transaction_ = true;
  sorted_.resize(window().messages.size());
  std::iota(sorted_.begin(), sorted_.end(), 0);
  std::ranges::sort(sorted_, {}, [this](std::size_t at) { return window().messages[at].key; });
  put_into_ledger(0);
}

void Database::Session::put_into_ledger(std::size_t at) {
  if (database_.faults_.strikes(Fault::cut)) return fail();
  for (; at < sorted_.size(); ++at) {
    const StagedMessage& message = window().messages[sorted_[at]];
    if (database_.is_held(message.key, &*transaction_)) {
      if ((waited_ms_ += 50) > kLockWaitMs) return fail();
      return go_on(50, [this, at] { put_into_ledger(at); });
    }
    if (database_.ledger_.contains(message.key) || transaction_->holds.contains(message.key)) {
      continue;
    }
    fresh_.push_back(sorted_[at]);
    const std::size_t number = database_.oracle_.number_of(message.key);
    const bool refused = database_.oracle_.message(number).kind == Kind::refused;
    const bool rejected = message.rejected || refused;
    const bool stays = rejected && database_.oracle_.mode() == Oracle::Mode::leave;
    if (!stays) {
      transaction_->holds.insert(message.key);
      outcomes_.push_back({number, !rejected, rejected ? "" : message.rows.at(0).tuple});
    }
    ++(rejected ? counts_.rejected : counts_.loaded);
    counts_.refused += refused && !message.rejected ? 1 : 0;
  }
  counts_.duplicate = window().messages.size() - counts_.loaded - counts_.rejected;
  go_on(1, [this] { commit(); });
}

void Database::Session::commit() {
  Faults& faults = database_.faults_;
  if (faults.strikes(Fault::cut)) return fail();
  committing_ = true;
  if (faults.strikes(Fault::cut_in_commit)) return fail();
  go_on(1 + static_cast<std::int64_t>(database_.random_.below(20)), [this] {
    std::vector<std::uint32_t> stays = left();
    database_.oracle_.committed(window().window.id, outcomes_);
    database_.ledger_.merge(transaction_->holds);
    database_.windows_[window().window.id] = {window().window.digest, window().window.messages,
                                              counts_};
    database_.open_.erase(transaction_);
    in_transaction_ = committing_ = false;
    counts_.rows = {counts_.loaded};
    const bool unheard = database_.faults_.strikes(Fault::cut_in_commit);
    if (unheard) return fail();
    answer(LoadAnswered{window().window.number, Loaded{counts_, false, std::move(stays)}});
  });
}

void Database::Session::learn() {
  const Record& known = database_.windows_.at(window().window.id);
  if (known.digest != window().window.digest || known.messages != window().window.messages) {
    ++database_.id_clashes_;
    return answer(LoadAnswered{window().window.number, OtherContents{}});
  }
  if (database_.faults_.strikes(Fault::cut)) return fail();
  Loaded learned{known.counts, true, {}};
  if (database_.oracle_.mode() == Oracle::Mode::leave && known.counts.rejected > 0) {
    for (std::uint32_t at = 0; at < window().messages.size(); ++at) {
      if (!database_.ledger_.contains(window().messages[at].key)) learned.left.push_back(at);
    }
  }
  answer(LoadAnswered{window().window.number, std::move(learned)});
}

std::vector<std::uint32_t> Database::Session::left() const {
  std::vector<std::uint32_t> positions;
  for (const std::size_t at : fresh_) {
    if (!transaction_->holds.contains(window().messages[at].key)) {
      positions.push_back(static_cast<std::uint32_t>(at));
    }
  }
  std::ranges::sort(positions);
  return positions;
}

void Database::Session::forward(const ForwardOrder& order, Reply reply) {
  order_ = {order.window, false};
  reply_ = std::move(reply);
  ++turn_;
  go_on(5, [this] {
    std::uint64_t sent = 0;
    for (const StagedMessage& message : window().messages) {
      if (interrupted_ || database_.faults_.strikes(Fault::cut)) {
        return answer(ForwardAnswered{window().window.number, ForwardFailed{away(), true}});
      }
      const std::size_t number = database_.oracle_.number_of(message.key);
      const Fate& fate = database_.oracle_.fate(number);
      if (fate.rejections == 0 || fate.forwarded > 0) continue;
      database_.oracle_.forwarded(number);
      ++sent;
    }
    answer(ForwardAnswered{window().window.number, Forwarded{sent}});
  });
}

void Database::Session::interrupt() {
  interrupted_ = true;
  if (reply_) fail();
}

void Database::Session::fail(bool may_again) {
  if (in_transaction_) leave_behind(committing_);
  const bool loads = window().window.state == WindowState::sealed;
  const std::int64_t number = window().window.number;
  if (loads) {
    answer(LoadAnswered{number, LoadFailed{away(), may_again}});
  } else {
    answer(ForwardAnswered{number, ForwardFailed{away(), may_again}});
  }
}

void Database::Session::leave_behind(bool committing) {
  in_transaction_ = committing_ = false;
  SeededRandom& details = database_.faults_.details(Fault::cut_in_commit);
  const auto later = static_cast<std::int64_t>(details.below(2) == 0 ? 0 : details.below(8000));
  const bool stands = committing && details.chance(0.6);
  // The window may be gone by then: what the commit needs is taken along. The views into it too.
  database_.timeline_.after(
      later, [&database = database_, transaction = transaction_, stands, window = order_.window,
              outcomes = std::move(outcomes_), counts = counts_] {
        if (stands) {
          database.oracle_.committed(window->window.id, outcomes);
          database.ledger_.merge(transaction->holds);
          database.windows_[window->window.id] = {window->window.digest, window->window.messages,
                                                  counts};
        }
        database.open_.erase(transaction);
      });
}

void Database::Session::answer(Event event) {
  ++turn_;
  auto carried = std::make_shared<Event>(std::move(event));
  auto reply = std::exchange(reply_, nullptr);
  order_ = {};
  sorted_.clear();
  fresh_.clear();
  outcomes_.clear();
  counts_ = {};
  waited_ms_ = 0;
  database_.timeline_.after(1, [alive = alive_, carried, reply] {
    if (*alive) reply(std::move(*carried));
  });
}

}  // namespace sluice::simulation
