// SPDX-License-Identifier: Apache-2.0
#include "job/archive/archive_messages.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "job/archive/records.h"
#include "job/archive/sent_at.h"
#include "job/base/encoding.h"
#include "job/base/failure.h"
#include "job/config/field_path.h"
#include "job/queue/sqs_message.h"
#include "job/record/unicode.h"
#include "job/record/value.h"

namespace sluice {
namespace {

std::optional<Source> source_of(const std::string& field) {
  if (field.empty()) return std::nullopt;
  auto path = parse_field_path(field);
  if (!path) {
    throw Failure(Fault::usage, "'" + field + "' is no JSON Pointer",
                  "write ~0 for ~ and ~1 for /");
  }
  return Source{Source::Kind::field, field, std::move(*path)};
}

/// A pipeline's name holds no line break, so that no two purposes meet.
HmacSha256 keyed(const Secret& id_key, std::string_view purpose, const Pipeline& pipeline) {
  const std::string what = "sluice/archive/v1/" + std::string(purpose) + "\n" + pipeline.name;
  return HmacSha256(Secret(std::string(HmacSha256(id_key).of(what))));
}

/// Of the first 128 bits, six of which go to RFC 9562: version 8 and its variant.
std::string uuid_of(std::string_view code) {
  std::string bytes(code.substr(0, 16));
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x80);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  std::string text = to_hex(bytes);
  for (const std::size_t dash : {20, 16, 12, 8}) text.insert(dash, 1, '-');
  return text;
}

}  // namespace

ArchiveMessages::ArchiveMessages(const ArchiveFormat& format, const Pipeline& pipeline,
                                 const Secret& id_key, Occurrences& occurrences)
    : sqs_envelope_(format.sqs_envelope),
      sent_at_from_(source_of(format.sent_at_from)),
      sent_at_ms_(format.sent_at_ms),
      occurrences_(occurrences),
      body_code_(keyed(id_key, "body", pipeline)),
      number_code_(keyed(id_key, "number", pipeline)),
      unwrapper_(pipeline) {}

void ArchiveMessages::begin_file() { occurrences_.clear(); }

Message ArchiveMessages::make(std::string_view record) {
  if (record.size() > (sqs_envelope_ ? kMostRecordBytes : Body::kMostBytes)) {
    Message message = of_body(record);
    message.body.resize(Body::kMostBytes + 1);
    message.unusable = {Reason::too_large,
                        sqs_envelope_ ? "longer than 8 MiB" : "longer than 1 MiB"};
    return message;
  }
  if (sqs_envelope_) return kept(record);
  Message message = of_body(record);
  if (sent_at_from_) {
    read_sent_at(message);
  } else {
    message.sent_ms = sent_at_ms_.value_or(0);
  }
  return message;
}

void ArchiveMessages::pass(std::string_view record) {
  if (sqs_envelope_ && std::holds_alternative<Message>(parse_kept_message(record))) return;
  id_of(record);
}

Message ArchiveMessages::of_body(std::string_view body) {
  Message message;
  message.id = id_of(body);
  message.body = body;
  return message;
}

Message ArchiveMessages::kept(std::string_view record) {
  auto parsed = parse_kept_message(record);
  if (auto* const message = std::get_if<Message>(&parsed)) return std::move(*message);
  auto& none = std::get<NoMessage>(parsed);
  Message message = of_body(record);
  if (none.rejection.reason == Reason::not_json && !is_utf8(record)) {
    none.rejection = {Reason::bad_encoding, "is not valid Unicode"};
  }
  message.unusable = std::move(none.rejection);
  message.unusable_field = std::move(none.field);
  return message;
}

std::string ArchiveMessages::id_of(std::string_view body) {
  const std::string_view code = body_code_.of(body);
  Occurrences::Digest128 digest;
  std::copy_n(code.begin(), digest.size(), digest.begin());
  const std::uint64_t before = occurrences_.count(digest);
  if (before == 0) return uuid_of(code);
  std::string numbered(code);
  append_big_endian<8>(numbered, before);
  return uuid_of(number_code_.of(numbered));
}

void ArchiveMessages::read_sent_at(Message& message) {
  message.sent_ms = sent_at_ms_.value_or(0);
  // What is wrong with the body itself is told when it is masked.
  if (unwrapper_.unwrap(message.body) || body_.decode(unwrapper_.json())) return;
  Value value;
  std::string scratch;
  auto fault = read(*sent_at_from_, {body_, message, unwrapper_.envelope()}, value, scratch);
  if (!fault && value.is_absent()) {
    if (sent_at_ms_) return;
    const bool null = value.kind == Value::Kind::null;
    fault = Rejection{Reason::missing_field, null ? "is null" : "is not there"};
  }
  if (!fault) fault = parse_sent_at(value, message.sent_ms);
  if (!fault) return;
  message.sent_ms = 0;
  message.unusable = std::move(fault);
  message.unusable_field = sent_at_from_->text;
}

}  // namespace sluice
