// SPDX-License-Identifier: Apache-2.0
#include "job/record/json_text.h"

#include "job/base/failure.h"
#include "job/record/number.h"

namespace sluice {
namespace {

// PostgreSQL documentation, "Numeric Types": the most digits of an unconstrained numeric.
constexpr std::int64_t kMostBeforePoint = 131'072;
constexpr std::int64_t kMostBehindPoint = 16'383;

MaybeRejection append_number(std::string& out, std::string_view literal) {
  const auto number = Decimal::parse(literal);
  require(number.has_value(), "a number that is none");
  if (number->point > kMostBeforePoint || number->scale > kMostBehindPoint) {
    return Rejection{Reason::out_of_range, "a number does not fit Postgres's numeric"};
  }
  out += literal;
  return std::nullopt;
}

MaybeRejection append_string(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    if (c == '\0')
      return Rejection{Reason::bad_encoding, "holds U+0000, which Postgres cannot keep"};
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c >= 0 && c < 0x20) {
      out += "\\u00";
      out += kHex[static_cast<std::size_t>(c) >> 4];
      out += kHex[static_cast<std::size_t>(c) & 15];
    } else {
      out += c;
    }
  }
  out += '"';
  return std::nullopt;
}

MaybeRejection append_node(std::string& out, const Body& body, Body::Position at);

MaybeRejection append_array(std::string& out, const Body& body, Body::Position array) {
  out += '[';
  for (Body::Position at = array + 1; at < body.end(array); at = body.end(at)) {
    if (at != array + 1) out += ',';
    if (auto fault = append_node(out, body, at)) return fault;
  }
  out += ']';
  return std::nullopt;
}

MaybeRejection append_object(std::string& out, const Body& body, Body::Position object) {
  out += '{';
  for (Body::Position key = object + 1; key < body.end(object); key = body.end(key + 1)) {
    if (key != object + 1) out += ',';
    if (auto fault = append_string(out, body.text(key))) return fault;
    out += ':';
    if (auto fault = append_node(out, body, key + 1)) return fault;
  }
  out += '}';
  return std::nullopt;
}

// Recursion ends at the depth that Body allows.
MaybeRejection append_node(std::string& out, const Body& body, Body::Position at) {
  switch (body.kind(at)) {
    case Body::Kind::null:
      out += "null";
      return std::nullopt;
    case Body::Kind::boolean:
      out += body.truth(at) ? "true" : "false";
      return std::nullopt;
    case Body::Kind::number:
      return append_number(out, body.text(at));
    case Body::Kind::string:
      return append_string(out, body.text(at));
    case Body::Kind::array:
      return append_array(out, body, at);
    case Body::Kind::object:
      return append_object(out, body, at);
  }
  bug("a kind of JSON that is not written");
}

}  // namespace

MaybeRejection append_json(std::string& out, const Value& value) {
  switch (value.kind) {
    case Value::Kind::null:
      out += "null";
      return std::nullopt;
    case Value::Kind::boolean:
      out += value.truth ? "true" : "false";
      return std::nullopt;
    case Value::Kind::number:
      return append_number(out, value.text);
    case Value::Kind::string:
      return append_string(out, value.text);
    case Value::Kind::composite:
      return append_node(out, *value.body, value.at);
    case Value::Kind::missing:
    case Value::Kind::instant:
      break;
  }
  bug("a value that is no JSON");
}

}  // namespace sluice
