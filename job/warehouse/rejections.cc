// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/rejections.h"

#include <algorithm>
#include <limits>

#include "job/base/copy_binary.h"
#include "job/warehouse/copy_stream.h"

namespace sluice {
namespace {

constexpr std::string_view kRefused = "refused-by-postgres";

void append_optional(std::string& tuple, std::string_view text) {
  text.empty() ? append_null_field(tuple) : append_bytes_field(tuple, text);
}

/// A row of sluice.rejected_message. `to_forward`: its body is the message as it came, and belongs
/// in the dead-letter queue.
struct Rejected {
  const StagedMessage& message;
  const StagedRejection& why;
  std::string_view sqlstate;
  std::string_view key_id;
  std::string_view sealed_body;
  bool to_forward;
};

void append_rejection(std::string& tuple, const std::string& pipeline, const Rejected& row) {
  constexpr std::uint32_t kMost = std::numeric_limits<std::int32_t>::max();
  append_field_count(tuple, 11);
  append_uuid_field(tuple, row.message.key.id);
  append_bytes_field(tuple, pipeline);
  append_timestamp_field(tuple, row.message.key.sent_ms * 1000);
  append_bytes_field(tuple, row.why.reason);
  append_optional(tuple, row.why.field);
  append_optional(tuple, row.why.detail);
  append_optional(tuple, row.sqlstate);
  append_int32_field(tuple, static_cast<std::int32_t>(std::min(row.message.receive_count, kMost)));
  append_bytes_field(tuple, row.sealed_body);
  append_bytes_field(tuple, row.key_id);
  append_bool_field(tuple, row.to_forward);
}

}  // namespace

void copy_rejections(Connection& connection, const Loader& loader, const Messages& rejected,
                     const std::vector<Refusal>& refused) {
  if (rejected.empty() && refused.empty()) return;
  const bool forwards = loader.pipeline.rejections == Rejections::dead_letter_queue;
  CopyStream copy(
      connection,
      "sluice.rejected_message (message_id, pipeline, sent_at, reason, field, detail, sqlstate,"
      " receive_count, sealed_body, key_id, to_forward)",
      "copying into sluice.rejected_message");
  const auto append = [&](const Rejected& row) {
    append_rejection(copy.begin_tuple(), loader.pipeline.name, row);
  };
  for (const StagedMessage* message : rejected) {
    append({*message, message->rejection, {}, message->key_id, message->sealed_body, forwards});
  }
  for (const Refusal& refusal : refused) {
    const StagedMessage& message = *refusal.message;
    const StagedRejection why = {
        .reason = kRefused, .field = refusal.field, .detail = refusal.constraint};
    // A window that was staged while the pipeline said otherwise has no body to forward.
    if (forwards && !message.sealed_body.empty()) {
      append({message, why, refusal.sqlstate, message.key_id, message.sealed_body, true});
      continue;
    }
    std::string rows;
    pack(message, rows);
    const SealedRow body = loader.seal(rows, message.key);
    append({message, why, refusal.sqlstate, body.key_id, body.bytes, false});
  }
  copy.finish();
}

}  // namespace sluice
