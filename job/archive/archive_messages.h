// SPDX-License-Identifier: Apache-2.0
// Record → message: what id it has and when it was sent. Clear text: it lives in memory only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "checkpoint/occurrences.h"
#include "job/base/secret.h"
#include "job/config/pipeline.h"
#include "job/mask/hmac.h"
#include "job/queue/queue.h"
#include "job/record/decode.h"
#include "job/record/unwrap.h"

namespace sluice {

struct ArchiveFormat {
  /// Each record is a message as ReceiveMessage returns it; else it is a body.
  bool sqs_envelope = false;
  /// Of bodies: the field that says when one was sent, named as a column's `from` names it (a
  /// top-level key or a JSON Pointer; job/archive/sent_at.h says what it may hold), and the time
  /// for those in which it is missing or null. With neither it is not known: `sent_ms` is 0.
  std::string sent_at_from = {};
  std::optional<std::int64_t> sent_at_ms = {};
};

/// A body's id is made of its bytes, the pipeline's name and how many equal bodies stood before it
/// in the same file: the same wherever and whenever it is read. With that of 0 it is HMAC-SHA-256
/// of the body under a key of the pipeline, with any other HMAC-SHA-256 of that code and the number
/// under another; of either a UUID of version 8.
class ArchiveMessages {
 public:
  /// `id_key`: 32 bytes that stay the same as long as ids must. Failure{usage} for a field's name
  /// that is none.
  ArchiveMessages(const ArchiveFormat& format, const Pipeline& pipeline, const Secret& id_key,
                  Occurrences& occurrences);

  /// A new file begins: equal bodies are counted anew.
  void begin_file();
  /// Message of the next record. What cannot be one has `unusable` set, and an id of its own like
  /// a body's. Of what is too large no more is kept than tells so.
  Message make(std::string_view record);
  /// The record is not wanted, but counts where its like comes again.
  void pass(std::string_view record);

 private:
  Message of_body(std::string_view body);
  Message kept(std::string_view record);
  std::string id_of(std::string_view body);
  /// Sets the time, or what is wrong with its field.
  void read_sent_at(Message& message);

  bool sqs_envelope_;
  std::optional<Source> sent_at_from_;
  std::optional<std::int64_t> sent_at_ms_;
  Occurrences& occurrences_;
  HmacSha256 body_code_;
  HmacSha256 number_code_;
  Unwrapper unwrapper_;
  Body body_;
};

}  // namespace sluice
