// SPDX-License-Identifier: Apache-2.0
#include "job/record/value.h"

#include "job/base/failure.h"
#include "job/base/moment.h"
#include "job/record/number.h"
#include "job/record/unicode.h"

namespace sluice {
namespace {

using Kind = Value::Kind;

Value field(const Body& body, std::span<const std::string> path) {
  const auto at = body.find(path);
  if (!at) return {};
  switch (body.kind(*at)) {
    case Body::Kind::null:
      return {.kind = Kind::null};
    case Body::Kind::boolean:
      return {.kind = Kind::boolean, .truth = body.truth(*at)};
    case Body::Kind::number:
      return {.kind = Kind::number, .text = body.text(*at)};
    case Body::Kind::string:
      return {.kind = Kind::string, .text = body.text(*at)};
    case Body::Kind::array:
    case Body::Kind::object:
      return {.kind = Kind::composite, .body = &body, .at = *at};
  }
  bug("a kind of JSON without a value");
}

Value attribute(std::string_view type, std::string_view text) {
  // Senders may put their own label behind it: "Number.float".
  return {.kind = type.starts_with("Number") ? Kind::number : Kind::string, .text = text};
}

Value attribute(const Record& record, std::string_view name) {
  if (record.envelope != nullptr) {
    const auto found = record.envelope->attribute(name);
    return found ? attribute(found->type, found->value) : Value{};
  }
  for (const MessageAttribute& each : record.message.attributes) {
    if (each.name == name) return attribute(each.type, each.value);
  }
  return {};
}

MaybeRejection check_attribute(const Value& value) {
  // SQS lets a sender write numbers that JSON does not know, such as 007.
  if (value.kind == Kind::number && !Decimal::parse(value.text)) {
    return Rejection{Reason::bad_value, "expected a number as JSON writes it"};
  }
  if (!is_utf8(value.text)) return Rejection{Reason::bad_encoding, "not valid Unicode"};
  return std::nullopt;
}

}  // namespace

MaybeRejection read(const Source& source, const Record& record, Value& value,
                    std::string& scratch) {
  const Message& message = record.message;
  switch (source.kind) {
    case Source::Kind::field:
      value = field(record.body, source.path);
      break;
    case Source::Kind::message_id:
      value = {.kind = Kind::string, .text = message.id};
      break;
    case Source::Kind::sent_at:
      if (message.sent_ms == 0) {  // not known
        value = {};
        break;
      }
      if (message.sent_ms < kFirstInstantUs / 1000 || message.sent_ms > kLastInstantUs / 1000) {
        return Rejection{Reason::out_of_range, "outside the years 0001 to 9999"};
      }
      value = {.kind = Kind::instant, .us = message.sent_ms * 1000};
      break;
    case Source::Kind::receive_count:
      scratch = std::to_string(message.receive_count);
      value = {.kind = Kind::number, .text = scratch};
      break;
    case Source::Kind::attribute:
      value = attribute(record, source.path.front());
      if (auto fault = check_attribute(value)) return fault;
      break;
  }
  if (value.text.find('\0') != std::string_view::npos) {
    return Rejection{Reason::bad_encoding, "holds U+0000, which Postgres cannot keep"};
  }
  return std::nullopt;
}

}  // namespace sluice
