// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/load.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "job/base/clock.h"
#include "job/base/encoding.h"
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
  for (const StagedMessage& message : window.messages) messages.push_back(&message);
  std::ranges::sort(messages, {}, &StagedMessage::key);
  return messages;
}

/// FIFO: rows appear in the order of SequenceNumber, a decimal number too long for an integer.
void sort_by_sequence(Messages& messages) {
  std::ranges::stable_sort(messages, {}, [](const StagedMessage* message) {
    return std::pair(message->sequence.size(), message->sequence);
  });
}

class Load {
 public:
  Load(Connection& connection, const Loader& loader, const SealedWindow& window)
      : connection_(connection),
        loader_(loader),
        window_(window.window),
        messages_(sorted_by_key(window)) {
    require(!messages_.empty() && messages_.size() == window_.messages,
            "a window without its messages");
    for (const StagedMessage* message : messages_) {
      staged_rejections_ += message->rejected ? 1 : 0;
      staged_rows_ += message->rows.size();
    }
  }

  LoadResult run(bool only_if_committed) {
    bool days_added = false;
    for (bool by_insert = false;;) {
      begin();
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
      return fill(fresh);
    }
  }

 private:
  void begin() {
    const auto ms = [](std::int64_t value) { return "'" + std::to_string(value) + "ms'; "; };
    // READ COMMITTED: under a stronger level the fallback's ON CONFLICT fails instead of waiting.
    // Deferred constraints must speak before COMMIT. Only errors may come during a COPY, so that
    // whatever comes ends it early.
    connection_.execute(
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = " +
            ms(loader_.limits.lock_ms) +
            "SET LOCAL statement_timeout = " + ms(loader_.limits.statement_ms) +
            "SET LOCAL idle_in_transaction_session_timeout = " + ms(loader_.limits.idle_ms) +
            "SET LOCAL client_min_messages = error; SET CONSTRAINTS ALL IMMEDIATE; "
            "SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit')"
            " WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true)",
        kDoing);
  }

  void roll_back() { connection_.execute("ROLLBACK", kDoing); }

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
    // Something is written, so that this COMMIT waits for the synchronous standby, which the first
    // one may not have.
    connection_.execute("SELECT pg_logical_emit_message(true, 'sluice', '')", kDoing);
    commit();
    const auto count = [&](int column) {
      return static_cast<std::uint64_t>(known.number_at(0, column));
    };
    return Loaded{
        .counts = {.loaded = count(0), .duplicate = count(1), .rejected = count(2), .rows = {}},
        .learned = true};
  }

  /// Loaded and rejected messages in one sorted statement. Returns those that were not there yet.
  Messages put_into_ledger(bool by_insert) {
    if (by_insert) return insert_keys(connection_, loader_.pipeline.name, messages_);
    Messages fresh = without_known(connection_, loader_.pipeline.name, messages_);
    copy_keys(connection_, loader_.pipeline.name, fresh);
    return fresh;
  }

  LoadResult fill(const Messages& fresh) {
    Messages good;
    Messages rejected;
    for (const StagedMessage* message : fresh)
      (message->rejected ? rejected : good).push_back(message);
    sort_by_sequence(good);
    TargetCounts target = copy_to_target(connection_, loader_.pipeline.tables, good);
    copy_rejections(connection_, loader_.pipeline.name, rejected, target.refusals, loader_.seal);

    LoadCounts counts{.loaded = good.size() - target.duplicates - target.refusals.size(),
                      .duplicate = messages_.size() - fresh.size() + target.duplicates,
                      .rejected = rejected.size() + target.refusals.size(),
                      .refused = target.refusals.size(),
                      .rows = std::move(target.rows)};
    require(counts.loaded + counts.duplicate + counts.rejected == messages_.size(),
            "a window that does not add up");
    correct_window(counts);
    commit();
    return Loaded{.counts = std::move(counts)};
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

  void commit() {
    // The warning that a wait for the standby was cut short must reach us.
    connection_.execute("SET LOCAL client_min_messages = warning", kDoing);
    if (!connection_.commit(loader_.limits.commit_ms)) {
      throw lost(std::string(kDoing),
                 "COMMIT is in doubt: the server did not confirm it without a warning");
    }
  }

  Connection& connection_;
  const Loader& loader_;
  const Window& window_;
  const Messages messages_;  // sorted by key
  std::uint64_t staged_rejections_ = 0;
  std::uint64_t staged_rows_ = 0;
};

}  // namespace

LoadResult load_window(Connection& connection, const Loader& loader, const SealedWindow& window,
                       bool only_if_committed) {
  return Load(connection, loader, window).run(only_if_committed);
}

}  // namespace sluice
