// SPDX-License-Identifier: Apache-2.0
// What a window holds on disk: for each message its key and its masked rows or its sealed
// rejection.
//
// Privacy by type: only the masker can put anything in (it is the one friend), so neither
// checkpoint nor warehouse can be handed a clear value of a masked field.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// SQS's message id, a UUID, as 16 bytes.
using MessageId = std::array<std::uint8_t, 16>;

/// The key of the ledger, and the order in which a window is loaded.
struct MessageKey {
  std::int64_t sent_ms =
      0;  // SentTimestamp, milliseconds since 1970; never changes between deliveries
  MessageId id{};
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 misreads a defaulted comparison.
  auto operator<=>(const MessageKey&) const = default;
};

/// One row of one table: a COPY BINARY tuple, from its field count to its last field.
struct StagedRow {
  std::uint16_t table;  // position in the pipeline's `tables`
  std::string_view tuple;
};

struct StagedRejection {
  std::string_view reason;  // one of interface's words: "missing-field"
  std::string_view field;   // source field, may be empty
  std::string_view detail;  // never holds a value, may be empty
};

/// One message of a window. The views point into the batch it was read from.
/// It holds either rows, or one rejection when `rejected`.
struct StagedMessage {
  MessageKey key;
  std::uint32_t receive_count = 1;
  std::string_view sequence;  // SequenceNumber of a FIFO queue, else empty
  std::string_view group;     // MessageGroupId of a FIFO queue, else empty
  /// The body as it came, sealed: of a rejected message; of one with rows only where what Postgres
  /// refuses is forwarded to a dead-letter queue. Else empty.
  std::string_view key_id;
  std::string_view sealed_body;
  bool rejected = false;
  std::vector<StagedRow> rows;
  StagedRejection rejection;
};

/// How much of a window becomes one row of the checkpoint, or a little more: SQLite copies a row
/// whole on its way, which so stays in the processor's cache and never takes the memory of a
/// window.
inline constexpr std::size_t kPieceBytes = 256 << 10;

/// Messages packed one behind the other. Append-only; `bytes()` is what lies in the checkpoint.
///
/// Format, all integers little-endian, `text` = u32 length and the bytes:
///   message   = i64 sent_ms, 16 bytes id, u32 receive_count, text sequence, text group,
///               text key_id, text sealed_body, u8 rejected, rows | rejection
///   rows      = u16 count, count × (u16 table, text tuple)
///   rejection = text reason, text field, text detail
/// A change of it needs a new kFormat in format.cc: windows on disk outlive the program that
/// wrote them.
class StagedBatch {
 public:
  std::uint32_t messages() const { return messages_; }
  const std::string& bytes() const { return bytes_; }
  /// The same, cut between messages.
  std::vector<std::string_view> pieces() const;
  bool empty() const { return messages_ == 0; }
  std::int64_t oldest_sent_ms() const { return oldest_sent_ms_; }  // 0 when empty
  /// Keeps the capacity, so that one batch serves a whole run.
  void clear();

 private:
  friend class Masker;
  friend class StagedBatchForTest;  // tests/support: batches without keys and a pipeline file
  /// Throws std::length_error when a text or the number of rows does not fit its length field: a
  /// bug.
  void add(const StagedMessage& message);

  std::string bytes_;
  std::vector<std::size_t> cuts_;  // where a piece is long enough
  std::uint32_t messages_ = 0;
  std::int64_t oldest_sent_ms_ = 0;
};

/// Appends the message in the format of a batch. For a warehouse that seals the masked rows which
/// Postgres refused.
void pack(const StagedMessage& message, std::string& out);

/// Appends the messages of a batch to `out`; the views point into `bytes`. False when the bytes are
/// no batch.
[[nodiscard]] bool unpack(std::string_view bytes, std::vector<StagedMessage>& out);

}  // namespace sluice
