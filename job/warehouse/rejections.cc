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

void append_rejection(std::string& tuple, const std::string& pipeline, const StagedMessage& message,
                      const StagedRejection& rejection, std::string_view sqlstate) {
  constexpr std::uint32_t kMost = std::numeric_limits<std::int32_t>::max();
  append_field_count(tuple, 10);
  append_uuid_field(tuple, message.key.id);
  append_bytes_field(tuple, pipeline);
  append_timestamp_field(tuple, message.key.sent_ms * 1000);
  append_bytes_field(tuple, rejection.reason);
  append_optional(tuple, rejection.field);
  append_optional(tuple, rejection.detail);
  append_optional(tuple, sqlstate);
  append_int32_field(tuple, static_cast<std::int32_t>(std::min(message.receive_count, kMost)));
  append_bytes_field(tuple, rejection.sealed_body);
  append_bytes_field(tuple, rejection.key_id);
}

}  // namespace

void copy_rejections(Connection& connection, const std::string& pipeline, const Messages& rejected,
                     const std::vector<Refusal>& refused, const Sealer& seal) {
  if (rejected.empty() && refused.empty()) return;
  CopyStream copy(
      connection,
      "sluice.rejected_message (message_id, pipeline, sent_at, reason, field, detail, sqlstate,"
      " receive_count, sealed_body, key_id)",
      "copying into sluice.rejected_message");
  std::string tuple;
  for (const StagedMessage* message : rejected) {
    tuple.clear();
    append_rejection(tuple, pipeline, *message, message->rejection, {});
    copy.append(tuple);
  }
  for (const Refusal& refusal : refused) {
    std::string rows;
    pack(*refusal.message, rows);
    const SealedRow body = seal(rows, refusal.message->key);
    tuple.clear();
    append_rejection(tuple, pipeline, *refusal.message,
                     {.reason = kRefused,
                      .field = refusal.field,
                      .detail = refusal.constraint,
                      .key_id = body.key_id,
                      .sealed_body = body.bytes},
                     refusal.sqlstate);
    copy.append(tuple);
  }
  copy.finish();
}

}  // namespace sluice
