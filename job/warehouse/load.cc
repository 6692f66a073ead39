// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/load.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "job/base/clock.h"
#include "job/base/encoding.h"
#include "job/warehouse/fifo.h"
#include "job/warehouse/ledger.h"
#include "job/warehouse/ledger_days.h"
#include "job/warehouse/rejections.h"
#include "job/warehouse/target.h"

namespace sluice {
namespace {

constexpr std::string_view kDoing = "loading a window";
constexpr std::string_view kUniqueViolation = "23505";
constexpr std::string_view kNoPartition = "23514";

std::string_view view(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Messages sorted_by_key(const SealedWindow& window) {
  Messages messages;
  messages.reserve(window.messages.size());
  for (const StagedMessage& message : window.messages) messages.push_back(&message);
  std::ranges::sort(messages, {}, &StagedMessage::key);
  return messages;
}

class Load {
 public:
  Load(Connection& connection, const Loader& loader, const SealedWindow& window)
      : connection_(connection),
        loader_(loader),
        window_(window.window),
        staged_(window.messages),
        messages_(sorted_by_key(window)) {
    require(!messages_.empty() && messages_.size() == window_.messages,
            "a window without its messages");
    for (const StagedMessage* message : messages_) {
      staged_rejections_ += message->rejected ? 1 : 0;
      staged_rows_ += message->rows.size();
      if (message->rejected && leaves_rejections()) stopped_.insert(message);
    }
  }

  LoadResult run(bool only_if_committed) {
    bool days_added = false;
    for (bool by_insert = loader_.hints.duplicates;;) {
      begin_transaction(connection_, loader_.limits, kDoing);
      if (!insert_window()) return learn();
      if (only_if_committed) {
        roll_back();
        return NotCommitted{};
      }
      Messages fresh;
      try {
        fresh = put_into_ledger(by_insert);
      } catch (const PostgresError& error) {
        // Each cure helps once: the insert meets no duplicate, and a day once added stays.
        const bool duplicate = error.is(kUniqueViolation) && !by_insert;
        const bool no_day = error.is(kNoPartition) && !days_added;
        if (!duplicate && !no_day) throw;
        roll_back();
        if (no_day) add_days_of(connection_, messages_);
        by_insert = by_insert || duplicate;
        days_added = days_added || no_day;
        continue;
      }
      if (std::optional<LoadCounts> counts = fill(fresh)) {
        return Loaded{.counts = std::move(*counts), .left = positions_of(left_)};
      }
      roll_back();
    }
  }

 private:
  bool leaves_rejections() const { return loader_.pipeline.rejections == Rejections::leave; }

  void roll_back() { connection_.execute("ROLLBACK", kDoing); }

  void commit() { commit_transaction(connection_, loader_.limits, kDoing); }

  /// False when the id is there already. Waits for an earlier transaction with it that is still in
  /// flight, which a SELECT would not.
  bool insert_window() {
    const std::array parameters = {
        uuid_parameter(window_.id),
        text_parameter(loader_.pipeline.name),
        text_parameter(loader_.run_id),
        number_parameter(window_.messages),
        number_parameter(static_cast<std::int64_t>(messages_.size() - staged_rejections_)),
        number_parameter(static_cast<std::int64_t>(staged_rejections_)),
        number_parameter(static_cast<std::int64_t>(staged_rows_)),
        bytes_parameter(view(window_.digest)),
        text_parameter(rfc3339(messages_.front()->key.sent_ms)),
        text_parameter(rfc3339(messages_.back()->key.sent_ms)),
    };
    return connection_
               .query(
                   "INSERT INTO sluice.loaded_window (window_id, pipeline, run_id, messages, "
                   "loaded, duplicate,"
                   " rejected, row_count, digest, oldest_sent_at, newest_sent_at)"
                   " VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
                   parameters, kDoing)
               .changed() == 1;
  }

  LoadResult learn() {
    const std::array parameters = {uuid_parameter(window_.id)};
    const Result known = connection_.query(
        "SELECT loaded, duplicate, rejected, messages, pipeline, encode(digest, 'hex')"
        " FROM sluice.loaded_window WHERE window_id = $1",
        parameters, kDoing);
    if (known.rows() != 1) throw lost(std::string(kDoing), "its record vanished");
    if (known.number_at(0, 3) != window_.messages || known.at(0, 4) != loader_.pipeline.name ||
        known.at(0, 5) != to_hex(view(window_.digest))) {
      roll_back();
      return OtherContents{};
    }
    const auto count = [&](int column) {
      return static_cast<std::uint64_t>(known.number_at(0, column));
    };
    Loaded loaded{
        .counts = {.loaded = count(0), .duplicate = count(1), .rejected = count(2), .rows = {}},
        .learned = true};
    // Whatever the pipeline says by now: it may have left its rejections in the queue when it
    // committed.
    if (loaded.counts.rejected > 0) {
      loaded.left = positions_of(without_known(connection_, loader_.pipeline.name, messages_,
                                               [](const StagedMessage&) { return true; }));
    }
    // Something is written, so that this COMMIT waits for the synchronous standby, which the first
    // one may not have.
    connection_.execute("SELECT pg_logical_emit_message(true, 'sluice', '')", kDoing);
    commit();
    return loaded;
  }

  /// Loaded and rejected messages in one sorted statement; what stays in the queue is set apart.
  /// Returns those that were not there yet.
  Messages put_into_ledger(bool by_insert) {
    // What is not put in must be looked up, and on a FIFO queue what it holds up.
    const auto may_be_known = [&](const StagedMessage& message) {
      return !stopped_.empty() || message.receive_count > 1 ||
             loader_.hints.loaded.may_hold(message.key);
    };
    Messages fresh = without_known(connection_, loader_.pipeline.name, messages_, may_be_known);
    left_ = take_left(fresh, stopped_);
    if (!by_insert) {
      copy_keys(connection_, loader_.pipeline.name, fresh);
      return fresh;
    }
    Messages inserted = insert_keys(connection_, loader_.pipeline.name, fresh);
    loader_.hints.duplicates = inserted.size() < fresh.size();
    return inserted;
  }

  /// None when Postgres refuses some that are to stay in the queue: the ledger must not hold them,
  /// nor the tables what came after them, so it is all done again without them.
  std::optional<LoadCounts> fill(const Messages& fresh) {
    Messages good;
    Messages rejected;
    for (const StagedMessage* message : fresh)
      (message->rejected ? rejected : good).push_back(message);
    sort_by_sequence(good);
    TargetCounts target = copy_to_target(connection_, loader_.pipeline.tables, good);
    if (leaves_rejections() && !target.refusals.empty()) {
      for (const Refusal& refusal : target.refusals) stopped_.insert(refusal.message);
      return std::nullopt;
    }
    copy_rejections(connection_, loader_, rejected, target.refusals);

    LoadCounts counts{
        .loaded = good.size() - target.duplicates - target.refusals.size(),
        .duplicate = messages_.size() - fresh.size() - left_.size() + target.duplicates,
        .rejected = rejected.size() + target.refusals.size() + left_.size(),
        .refused = target.refusals.size() + refused_and_left(),
        .rows = std::move(target.rows)};
    require(counts.loaded + counts.duplicate + counts.rejected == messages_.size(),
            "a window that does not add up");
    correct_window(counts);
    commit();
    return counts;
  }

  std::uint64_t refused_and_left() const {
    return static_cast<std::uint64_t>(
        std::ranges::count_if(left_, [this](const StagedMessage* message) {
          return !message->rejected && stopped_.contains(message);
        }));
  }

  std::vector<std::uint32_t> positions_of(const Messages& messages) const {
    std::vector<std::uint32_t> positions;
    for (const StagedMessage* message : messages) {
      positions.push_back(static_cast<std::uint32_t>(message - staged_.data()));
    }
    std::ranges::sort(positions);
    return positions;
  }

  void correct_window(const LoadCounts& counts) {
    const std::uint64_t rows =
        std::accumulate(counts.rows.begin(), counts.rows.end(), std::uint64_t{0});
    if (counts.rejected == staged_rejections_ && counts.duplicate == 0 && rows == staged_rows_)
      return;
    const auto number = [](std::uint64_t value) {
      return number_parameter(static_cast<std::int64_t>(value));
    };
    const std::array parameters = {uuid_parameter(window_.id), number(counts.loaded),
                                   number(counts.duplicate), number(counts.rejected), number(rows)};
    connection_.query(
        "UPDATE sluice.loaded_window SET loaded = $2, duplicate = $3, rejected = $4, row_count = $5"
        " WHERE window_id = $1",
        parameters, kDoing);
  }

  Connection& connection_;
  const Loader& loader_;
  const Window& window_;
  const std::vector<StagedMessage>& staged_;
  const Messages messages_;  // sorted by key
  /// With rejections left in the queue: rejected, or refused by Postgres in an earlier round.
  std::set<const StagedMessage*> stopped_;
  Messages left_;  // of those, what the ledger does not hold, and what follows it
  std::uint64_t staged_rejections_ = 0;
  std::uint64_t staged_rows_ = 0;
};

}  // namespace

LoadResult load_window(Connection& connection, const Loader& loader, const SealedWindow& window,
                       bool only_if_committed) {
  LoadResult result = Load(connection, loader, window).run(only_if_committed);
  if (std::holds_alternative<Loaded>(result)) {
    for (const StagedMessage& message : window.messages) loader.hints.loaded.add(message.key);
  }
  return result;
}

}  // namespace sluice
