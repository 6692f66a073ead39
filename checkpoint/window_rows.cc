// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/window_rows.h"

#include <stdexcept>

#include "checkpoint/digest.h"
#include "checkpoint/packed.h"

namespace sluice::window_rows {
namespace {

Digest digest_of(const Window& window) {
  std::string row;
  packed::append(row, window.number);
  packed::append(row, static_cast<std::uint8_t>(window.state));
  packed::append(row, static_cast<std::uint8_t>(window.set_aside));
  packed::append(row, window.messages);
  packed::append(row, window.to_delete);
  packed::append(row, window.bytes);
  packed::append(row, window.oldest_sent_ms);
  packed::append(row, window.opened_ms);
  packed::append(row, window.closed_ms);
  row.append(packed::view(window.id));
  row.append(packed::view(window.digest));
  return sha256(row);
}

std::string name_of(std::int64_t number) { return "window " + std::to_string(number); }

}  // namespace

std::vector<Window> all(sqlite::Connection& db) {
  std::vector<Window> windows;
  auto row = db.statement("SELECT number FROM window ORDER BY number");
  while (row.next()) windows.push_back(find(db, row.integer(0)));
  return windows;
}

Window find(sqlite::Connection& db, std::int64_t number) {
  auto row = db.statement(
      "SELECT number, state, set_aside, messages, to_delete, bytes, oldest_sent_ms, opened_ms,"
      " closed_ms, id, digest, row_digest FROM window WHERE number = ?",
      number);
  if (!row.next()) throw std::logic_error("there is no " + name_of(number));
  Window window;
  window.number = row.integer(0);
  window.state = static_cast<WindowState>(row.integer(1));
  window.set_aside = row.integer(2) != 0;
  window.messages = static_cast<std::uint32_t>(row.integer(3));
  window.to_delete = static_cast<std::uint32_t>(row.integer(4));
  window.bytes = static_cast<std::uint64_t>(row.integer(5));
  window.oldest_sent_ms = row.integer(6);
  window.opened_ms = row.integer(7);
  window.closed_ms = row.integer(8);
  if (!packed::Reader(row.bytes(9)).read(window.id) ||
      !packed::Reader(row.bytes(10)).read(window.digest) ||
      row.bytes(11) != packed::view(digest_of(window))) {
    throw sqlite::Damaged(db.path(),
                          "the record of " + name_of(number) + " does not match its digest");
  }
  return window;
}

std::int64_t insert(sqlite::Connection& db, std::int64_t wall_ms) {
  Window window;
  {
    auto row = db.statement("SELECT coalesce(max(number), 0) + 1 FROM window");
    row.next();
    window.number = row.integer(0);
  }
  window.opened_ms = wall_ms;
  const Digest row_digest = digest_of(window);
  db.statement(
        "INSERT INTO window(number, state, set_aside, messages, to_delete, bytes, oldest_sent_ms,"
        " opened_ms, closed_ms, id, digest, row_digest)"
        " VALUES (?, ?, 0, 0, 0, 0, 0, ?, 0, ?, ?, ?)",
        window.number, static_cast<int>(window.state), window.opened_ms,
        sqlite::Blob{packed::view(window.id)}, sqlite::Blob{packed::view(window.digest)},
        sqlite::Blob{packed::view(row_digest)})
      .run();
  return window.number;
}

void update(sqlite::Connection& db, const Window& window, WindowState from) {
  const Digest row_digest = digest_of(window);
  const int changed =
      db.statement(
            "UPDATE window SET state = ?, set_aside = ?, messages = ?, to_delete = ?, bytes = ?,"
            " oldest_sent_ms = ?, closed_ms = ?, id = ?, digest = ?, row_digest = ?"
            " WHERE number = ? AND state = ?",
            static_cast<int>(window.state), static_cast<int>(window.set_aside), window.messages,
            window.to_delete, static_cast<std::int64_t>(window.bytes), window.oldest_sent_ms,
            window.closed_ms, sqlite::Blob{packed::view(window.id)},
            sqlite::Blob{packed::view(window.digest)}, sqlite::Blob{packed::view(row_digest)},
            window.number, static_cast<int>(from))
          .run();
  if (changed != 1) {
    throw std::logic_error(name_of(window.number) + " is not in state " +
                           std::to_string(static_cast<int>(from)));
  }
}

void remove(sqlite::Connection& db, std::int64_t number) {
  db.statement("DELETE FROM window WHERE number = ?", number).run();
}

}  // namespace sluice::window_rows
