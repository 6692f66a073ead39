// SPDX-License-Identifier: Apache-2.0
// A message that somebody received from a queue and kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "job/base/rejection.h"
#include "job/queue/queue.h"

namespace sluice {

/// 2200-01-01: the ledger's days (sql/, sluice.add_days) are those of 1970 to 2199. A message with
/// any other would be staged and could never be loaded.
inline constexpr std::int64_t kEndOfDaysMs = 7'258'118'400'000;

/// Why a text is no message, and which member of it says so.
struct NoMessage {
  Rejection rejection;
  std::string field;
};

/// One element of what ReceiveMessage answered, or of an event of Lambda, which spells it
/// otherwise (`messageId`, `body`). Nothing of it is other than had it come from the queue, but
/// that it has no receipt, and was received once where that is not told.
std::variant<Message, NoMessage> parse_kept_message(std::string_view json);

}  // namespace sluice
