// SPDX-License-Identifier: Apache-2.0
// The table `window`: one row a window, each with a digest of its own. One flipped bit would turn
// sealed (2) into loaded (3), and messages would be deleted that Postgres never saw.
#pragma once

#include <cstdint>
#include <vector>

#include "checkpoint/sqlite.h"

namespace sluice {

/// A run still has something to do for it.
inline bool is_unfinished(const Window& window) {
  return window.state != WindowState::closed && !window.set_aside;
}

}  // namespace sluice

namespace sluice::window_rows {

/// By number. Here and in `find`: a row that does not match its digest is Damaged.
std::vector<Window> all(sqlite::Connection& db);
/// std::logic_error when there is no such window.
Window find(sqlite::Connection& db, std::int64_t number);

/// Open and empty; its number.
std::int64_t insert(sqlite::Connection& db, std::int64_t wall_ms);
/// std::logic_error unless its state on disk is `from`.
void update(sqlite::Connection& db, const Window& window, WindowState from);
void remove(sqlite::Connection& db, std::int64_t number);

}  // namespace sluice::window_rows
