// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/checkpoint.h"

#include <algorithm>
#include <stdexcept>
#include <tuple>

#include "checkpoint/contents.h"
#include "checkpoint/opening.h"
#include "checkpoint/window_rows.h"

namespace sluice {
namespace {

/// One transaction around `change`, which edits the window and may write beside it.
/// std::logic_error, and nothing written, unless the window was in the state `from`.
template <typename Change>
Window move(sqlite::Connection& db, std::int64_t number, WindowState from, Change change) {
  sqlite::Transaction transaction(db);
  Window window = window_rows::find(db, number);
  change(window);
  window_rows::update(db, window, from);
  transaction.commit();
  return window;
}

void require_inside(std::uint32_t position, const Window& window) {
  if (position >= window.messages) {
    throw std::logic_error("a receipt of no message of window " + std::to_string(window.number));
  }
}

void require_inside(const std::vector<Receipt>& receipts, const Window& window) {
  for (const Receipt& receipt : receipts) require_inside(receipt.position, window);
}

void add(sqlite::Connection& db, Window& window, const StagedBatch& batch,
         const std::vector<Receipt>& receipts, const std::vector<Receipt>& renewed) {
  if (!batch.empty()) {
    window.oldest_sent_ms = window.messages == 0
                                ? batch.oldest_sent_ms()
                                : std::min(window.oldest_sent_ms, batch.oldest_sent_ms());
    window.messages += batch.messages();
    window.bytes += batch.bytes().size();
    for (const std::string_view piece : batch.pieces()) contents::add(db, window.number, piece);
  }
  require_inside(receipts, window);
  require_inside(renewed, window);
  contents::add_receipts(db, window.number, receipts, renewed);
}

void fix(sqlite::Connection& db, Window& window, const WindowId& id) {
  if (window.messages == 0) throw std::logic_error("a window without messages is sealed");
  window.state = WindowState::sealed;
  window.id = id;
  window.digest = contents::digest(db, window.number);
}

}  // namespace

Checkpoint::Checkpoint(const std::string& path, const CheckpointIdentity& identity,
                       std::int64_t wall_ms) {
  Opened opened = open_file(path, identity, wall_ms);
  set_aside_ = std::move(opened.set_aside);
  db_ = std::move(opened.db);
}

Checkpoint::~Checkpoint() = default;

std::vector<Window> Checkpoint::unfinished() const {
  std::vector<Window> windows = window_rows::all(*db_);
  std::erase_if(windows, [](const Window& window) { return !is_unfinished(window); });
  return windows;
}

std::vector<Window> Checkpoint::closed() const {
  std::vector<Window> windows = window_rows::all(*db_);
  std::erase_if(windows, [](const Window& window) { return window.state != WindowState::closed; });
  return windows;
}

std::int64_t Checkpoint::open_window(std::int64_t wall_ms) {
  sqlite::Transaction transaction(*db_);
  const std::int64_t number = window_rows::insert(*db_, wall_ms);
  transaction.commit();
  return number;
}

void Checkpoint::stage(std::int64_t number, const StagedBatch& batch,
                       const std::vector<Receipt>& receipts, const std::vector<Receipt>& renewed) {
  move(*db_, number, WindowState::open,
       [&](Window& window) { add(*db_, window, batch, receipts, renewed); });
}

Window Checkpoint::seal(std::int64_t number, const WindowId& id) {
  return move(*db_, number, WindowState::open, [&](Window& window) { fix(*db_, window, id); });
}

Window Checkpoint::stage_and_seal(std::int64_t number, const StagedBatch& batch,
                                  const std::vector<Receipt>& receipts,
                                  const std::vector<Receipt>& renewed, const WindowId& id) {
  return move(*db_, number, WindowState::open, [&](Window& window) {
    add(*db_, window, batch, receipts, renewed);
    fix(*db_, window, id);
  });
}

Window Checkpoint::reseal(std::int64_t number, const WindowId& id) {
  return move(*db_, number, WindowState::sealed, [&](Window& window) { window.id = id; });
}

SealedWindow Checkpoint::read(std::int64_t number) const {
  const Window window = window_rows::find(*db_, number);
  if (window.state == WindowState::open) {
    throw std::logic_error("window " + std::to_string(number) + " is read before it is sealed");
  }
  return contents::read(*db_, window);
}

void Checkpoint::mark_loaded(std::int64_t number, const std::vector<std::uint32_t>& left) {
  move(*db_, number, WindowState::sealed, [&](Window& window) {
    if (!left.empty()) {
      require_inside(left.back(), window);
      std::vector<Receipt> kept = contents::receipts(*db_, window);
      std::erase_if(kept, [&](const Receipt& receipt) {
        return std::ranges::binary_search(left, receipt.position);
      });
      contents::remove_receipts(*db_, number);
      contents::add_receipts(*db_, number, kept, {});
    }
    window.state = WindowState::loaded;
    window.to_delete = window.messages - static_cast<std::uint32_t>(left.size());
  });
}

std::vector<Receipt> Checkpoint::receipts(std::int64_t number) const {
  return contents::receipts(*db_, window_rows::find(*db_, number));
}

void Checkpoint::keep_receipts(std::int64_t number, const std::vector<Receipt>& left) {
  move(*db_, number, WindowState::loaded, [&](const Window& window) {
    require_inside(left, window);
    contents::remove_receipts(*db_, number);
    contents::add_receipts(*db_, number, left, {});
  });
}

void Checkpoint::close(std::int64_t number, std::int64_t wall_ms) {
  move(*db_, number, WindowState::loaded, [&](Window& window) {
    window.state = WindowState::closed;
    window.closed_ms = wall_ms;
    contents::remove_receipts(*db_, number);
  });
}

void Checkpoint::set_window_aside(std::int64_t number) {
  move(*db_, number, WindowState::sealed, [](Window& window) { window.set_aside = true; });
}

void Checkpoint::prune(std::int64_t before_wall_ms, std::uint64_t most_bytes) {
  std::vector<Window> newest_first = closed();
  std::ranges::sort(newest_first, [](const Window& left, const Window& right) {
    return std::tie(left.closed_ms, left.number) > std::tie(right.closed_ms, right.number);
  });
  sqlite::Transaction transaction(*db_);
  std::uint64_t kept_bytes = 0;
  for (const Window& window : newest_first) {
    kept_bytes += window.bytes + kWindowOverhead;
    if (window.closed_ms < before_wall_ms || kept_bytes > most_bytes) {
      contents::remove(*db_, window.number);
      window_rows::remove(*db_, window.number);
    }
  }
  transaction.commit();
}

std::uint64_t Checkpoint::reusable_bytes() const {
  auto free_pages = db_->statement("PRAGMA freelist_count");
  free_pages.next();
  const auto pages = static_cast<std::uint64_t>(free_pages.integer(0));
  auto page_size = db_->statement("PRAGMA page_size");
  page_size.next();
  return pages * static_cast<std::uint64_t>(page_size.integer(0));
}

}  // namespace sluice
