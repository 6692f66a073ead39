// SPDX-License-Identifier: Apache-2.0
// The tables `batch` and `receipts`: what was staged, in pieces, each a row with its digest.
// SQLite's own checks do not see a flipped bit in a blob.
#pragma once

#include <string_view>
#include <vector>

#include "checkpoint/sqlite.h"

namespace sluice::contents {

/// `piece`: whole messages of a batch.
void add(sqlite::Connection& db, std::int64_t number, std::string_view piece);
/// Over the digests of the window's pieces, in their order.
Digest digest(sqlite::Connection& db, std::int64_t number);
/// Damaged unless all digests and the number of messages match.
SealedWindow read(sqlite::Connection& db, const Window& window);

void remove(sqlite::Connection& db, std::int64_t number);

void add_receipts(sqlite::Connection& db, std::int64_t number, const std::vector<Receipt>& older,
                  const std::vector<Receipt>& newer);
void remove_receipts(sqlite::Connection& db, std::int64_t number);
/// The newest of each message, by position. Damaged unless all digests match, and when a loaded
/// window has receipts of more messages than it is to delete.
std::vector<Receipt> receipts(sqlite::Connection& db, const Window& window);

/// Damaged when there is a row of a window that is not there, as an undone transaction may leave it
/// whose journal is gone: the next window of that number would inherit it.
void require_windows(sqlite::Connection& db);

/// Keys of the messages whose receipts are left: of a loaded window, those still to be deleted.
/// Verified like both.
std::vector<MessageKey> keys_with_receipts(sqlite::Connection& db, const Window& window);

}  // namespace sluice::contents
