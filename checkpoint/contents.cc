// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/contents.h"

#include <optional>

#include "checkpoint/digest.h"
#include "checkpoint/packed.h"

namespace sluice::contents {
namespace {

/// The rows of a window lie behind one another, by `place` = number · 2^20 + ordinal of the row:
/// an index over (window, ordinal) would cost two more pages in each commit.
constexpr std::int64_t first(std::int64_t number) { return number << 20; }
constexpr std::int64_t last(std::int64_t number) { return first(number + 1) - 1; }

[[noreturn]] void damaged(const sqlite::Connection& db, const Window& window, const char* what) {
  throw sqlite::Damaged(db.path(),
                        std::string(what) + " of window " + std::to_string(window.number));
}

/// Behind what `table` has of the window.
void insert(sqlite::Connection& db, const std::string& table, std::int64_t number,
            std::string_view piece) {
  const Digest digest = sha256(piece);
  db.statement("INSERT INTO " + table + " VALUES ((SELECT coalesce(max(place) + 1, ?1) FROM " +
                   table + " WHERE place BETWEEN ?1 AND ?2), ?3, ?4)",
               first(number), last(number), sqlite::Blob{packed::view(digest)}, sqlite::Blob{piece})
      .run();
}

/// Each piece in its order, and it is what was staged: Damaged unless all digests match.
template <typename Take>
void each_piece(sqlite::Connection& db, const Window& window, Take take) {
  auto row =
      db.statement("SELECT digest, contents FROM batch WHERE place BETWEEN ? AND ? ORDER BY place",
                   first(window.number), last(window.number));
  Sha256 hash;
  while (row.next()) {
    if (row.bytes(0) != packed::view(sha256(row.bytes(1)))) {
      damaged(db, window, "a digest does not match the contents");
    }
    hash.add(row.bytes(0));
    take(row.bytes(1));
  }
  if (window.state != WindowState::open && window.digest != hash.finish()) {
    damaged(db, window, "the digest does not match the batches");
  }
}

/// Later receipts overwrite earlier ones. False when these are no receipts of such a window.
bool unpack_receipts(std::string_view bytes, std::vector<std::optional<std::string>>& handles) {
  packed::Reader in(bytes);
  while (in.left() > 0) {
    std::uint32_t position = 0;
    std::string_view handle;
    if (!in.read(position) || !in.read_text(handle) || position >= handles.size()) return false;
    handles[position] = handle;
  }
  return true;
}

}  // namespace

void add(sqlite::Connection& db, std::int64_t number, std::string_view piece) {
  insert(db, "batch", number, piece);
}

Digest digest(sqlite::Connection& db, std::int64_t number) {
  Sha256 hash;
  auto row = db.statement("SELECT digest FROM batch WHERE place BETWEEN ? AND ? ORDER BY place",
                          first(number), last(number));
  while (row.next()) hash.add(row.bytes(0));
  return hash.finish();
}

SealedWindow read(sqlite::Connection& db, const Window& window) {
  SealedWindow sealed;
  sealed.window = window;
  each_piece(db, window, [&](std::string_view piece) { sealed.batches.emplace_back(piece); });
  // Only now that no string moves any more: the messages view into them.
  sealed.messages.reserve(window.messages);
  for (const std::string& batch : sealed.batches) {
    if (!unpack(batch, sealed.messages)) damaged(db, window, "no messages are the contents");
  }
  if (sealed.messages.size() != window.messages) {
    damaged(db, window, "messages are missing in the contents");
  }
  return sealed;
}

std::vector<MessageKey> keys_with_receipts(sqlite::Connection& db, const Window& window) {
  const std::vector<Receipt> left = receipts(db, window);
  std::vector<MessageKey> keys;
  keys.reserve(left.size());
  std::uint32_t position = 0;
  std::vector<StagedMessage> messages;
  each_piece(db, window, [&](std::string_view piece) {
    messages.clear();
    if (!unpack(piece, messages)) damaged(db, window, "no messages are the contents");
    for (const StagedMessage& message : messages) {
      const bool is_left = keys.size() < left.size() && left[keys.size()].position == position;
      if (is_left) keys.push_back(message.key);
      ++position;
    }
  });
  if (position != window.messages) damaged(db, window, "messages are missing in the contents");
  return keys;
}

void remove(sqlite::Connection& db, std::int64_t number) {
  db.statement("DELETE FROM batch WHERE place BETWEEN ? AND ?", first(number), last(number)).run();
}

void add_receipts(sqlite::Connection& db, std::int64_t number, const std::vector<Receipt>& older,
                  const std::vector<Receipt>& newer) {
  std::string piece;
  for (const auto* receipts : {&older, &newer}) {
    for (const Receipt& receipt : *receipts) {
      packed::append(piece, receipt.position);
      packed::append_text(piece, receipt.handle);
      if (piece.size() < kPieceBytes) continue;
      insert(db, "receipts", number, piece);
      piece.clear();
    }
  }
  if (!piece.empty()) insert(db, "receipts", number, piece);
}

void remove_receipts(sqlite::Connection& db, std::int64_t number) {
  db.statement("DELETE FROM receipts WHERE place BETWEEN ? AND ?", first(number), last(number))
      .run();
}

void require_windows(sqlite::Connection& db) {
  auto row = db.statement(
      "SELECT place >> 20 AS number FROM batch WHERE number NOT IN (SELECT number FROM window)"
      " UNION ALL SELECT place >> 20 AS number FROM receipts"
      " WHERE number NOT IN (SELECT number FROM window) LIMIT 1");
  if (!row.next()) return;
  throw sqlite::Damaged(db.path(), "it holds something of window " +
                                       std::to_string(row.integer(0)) + ", which is not there");
}

std::vector<Receipt> receipts(sqlite::Connection& db, const Window& window) {
  std::vector<std::optional<std::string>> handles(window.messages);
  auto row =
      db.statement("SELECT digest, packed FROM receipts WHERE place BETWEEN ? AND ? ORDER BY place",
                   first(window.number), last(window.number));
  while (row.next()) {
    if (row.bytes(0) != packed::view(sha256(row.bytes(1))) ||
        !unpack_receipts(row.bytes(1), handles)) {
      damaged(db, window, "a digest does not match the receipts");
    }
  }
  std::vector<Receipt> newest;
  for (std::uint32_t position = 0; position < window.messages; ++position) {
    if (handles[position]) newest.push_back({position, std::move(*handles[position])});
  }
  // Half of `mark_loaded`, when a crash and a damaged journal met: what stays in the queue would be
  // deleted.
  if (window.state == WindowState::loaded && newest.size() > window.to_delete) {
    damaged(db, window, "there are more receipts than messages to delete");
  }
  return newest;
}

}  // namespace sluice::contents
