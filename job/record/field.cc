// SPDX-License-Identifier: Apache-2.0
#include "job/record/field.h"

#include <charconv>

#include "job/base/copy_binary.h"
#include "job/base/failure.h"
#include "job/base/moment.h"
#include "job/base/text.h"
#include "job/config/column_type.h"
#include "job/record/address.h"
#include "job/record/json_text.h"
#include "job/record/number.h"
#include "job/record/unicode.h"
#include "job/record/uuid.h"

namespace sluice {
namespace {

using Kind = Value::Kind;
using Type = ColumnType::Kind;

Rejection wrong_type(std::string_view wanted) {
  return {Reason::wrong_type, "expected " + std::string(wanted)};
}
Rejection bad_value(std::string_view wanted) {
  return {Reason::bad_value, "expected " + std::string(wanted)};
}
Rejection out_of_range(const ColumnType& type) {
  return {Reason::out_of_range, "does not fit " + postgres_name(type)};
}

MaybeRejection append_text(std::string& tuple, const Value& value, const ColumnType& type) {
  if (value.kind != Kind::string) return wrong_type("a string");
  const auto most = static_cast<std::size_t>(type.length);
  if (most > 0 && value.text.size() > most && count_code_points(value.text) > most) {
    return Rejection{Reason::too_long, "longer than " + postgres_name(type)};
  }
  append_bytes_field(tuple, value.text);
  return std::nullopt;
}

template <typename Integer>
MaybeRejection append_integer(std::string& tuple, const Value& value, const ColumnType& type,
                              void (*append)(std::string&, Integer)) {
  if (value.kind != Kind::number || value.text.find_first_of(".eE") != std::string_view::npos) {
    return wrong_type("an integer");
  }
  const auto number = parse_integer<Integer>(value.text);
  if (!number) return out_of_range(type);
  append(tuple, *number);
  return std::nullopt;
}

MaybeRejection append_numeric(std::string& tuple, const Value& value, const ColumnType& type) {
  if (value.kind != Kind::number && value.kind != Kind::string) return wrong_type("a number");
  const auto number = Decimal::parse(value.text);
  if (!number) return bad_value("a number as JSON writes it");
  if (number->significant_scale() > type.scale && !number->is_zero()) return out_of_range(type);
  if (number->point > type.precision - type.scale && !number->is_zero()) return out_of_range(type);
  append_numeric_field(tuple, *number, type.scale);
  return std::nullopt;
}

template <typename Float>
MaybeRejection append_floating(std::string& tuple, const Value& value, const ColumnType& type,
                               void (*append)(std::string&, Float)) {
  if (value.kind != Kind::number) return wrong_type("a number");
  Float number = 0;
  const auto [end, error] =
      std::from_chars(value.text.data(), value.text.data() + value.text.size(), number);
  // Both what overflows and what would vanish to zero.
  if (error == std::errc::result_out_of_range) return out_of_range(type);
  require(error == std::errc(), "a number that is none");
  append(tuple, number);
  return std::nullopt;
}

MaybeRejection append_boolean(std::string& tuple, const Value& value) {
  if (value.kind != Kind::boolean) return wrong_type("true or false");
  append_bool_field(tuple, value.truth);
  return std::nullopt;
}

MaybeRejection append_date(std::string& tuple, const Value& value) {
  constexpr std::int64_t kDayUs = 86'400'000'000;
  std::optional<std::int64_t> days;
  if (value.kind == Kind::instant) {
    days = (value.us - kFirstInstantUs) / kDayUs + kFirstInstantUs / kDayUs;  // floored
  } else if (value.kind != Kind::string) {
    return wrong_type("a string");
  } else {
    days = parse_date(value.text);
  }
  if (!days) return bad_value("a date YYYY-MM-DD in the years 0001 to 9999");
  append_date_field(tuple, *days);
  return std::nullopt;
}

MaybeRejection append_timestamp(std::string& tuple, const Value& value, Zone zone) {
  std::optional<std::int64_t> us;
  if (value.kind == Kind::instant) {
    us = value.us;
  } else if (value.kind != Kind::string) {
    return wrong_type("a string");
  } else {
    us = parse_timestamp(value.text, zone);
  }
  if (!us) {
    return bad_value(zone == Zone::required ? "an ISO 8601 time with seconds and a zone"
                                            : "an ISO 8601 time with seconds and without a zone");
  }
  append_timestamp_field(tuple, *us);
  return std::nullopt;
}

MaybeRejection append_uuid(std::string& tuple, const Value& value) {
  if (value.kind != Kind::string) return wrong_type("a string");
  const auto uuid = parse_uuid(value.text);
  if (!uuid) return bad_value("a UUID");
  append_uuid_field(tuple, *uuid);
  return std::nullopt;
}

// PostgreSQL's inet_send: family, bits, is_cidr, size of the address, the address.
MaybeRejection append_inet(std::string& tuple, const Value& value) {
  if (value.kind != Kind::string) return wrong_type("a string");
  const std::size_t slash = value.text.find('/');
  const auto address = Address::parse(value.text.substr(0, slash));
  if (!address) return bad_value("an IP address, with or without a prefix");
  const std::string_view bytes = address->network_order();
  const int most = static_cast<int>(bytes.size()) * 8;
  int bits = most;
  if (slash != std::string_view::npos) {
    const std::string_view prefix = value.text.substr(slash + 1);
    const auto number = parse_integer<unsigned>(prefix);
    if (!number || *number > static_cast<unsigned>(most) ||
        (prefix.size() > 1 && prefix[0] == '0')) {
      return bad_value("an IP address, with or without a prefix");
    }
    bits = static_cast<int>(*number);
  }
  constexpr int kFamily4 = 2;
  constexpr int kFamily6 = 3;
  append_big_endian<4>(tuple, 4 + bytes.size());
  append_big_endian<1>(tuple, address->v6 ? kFamily6 : kFamily4);
  append_big_endian<1>(tuple, bits);
  append_big_endian<1>(tuple, 0);
  append_big_endian<1>(tuple, bytes.size());
  tuple.append(bytes);
  return std::nullopt;
}

MaybeRejection append_jsonb(std::string& tuple, const Value& value) {
  if (value.kind == Kind::instant) return wrong_type("a JSON value");
  std::string json;
  if (auto fault = append_json(json, value)) return fault;
  append_jsonb_field(tuple, json);
  return std::nullopt;
}

MaybeRejection append_bytea(std::string& tuple, const Value& value) {
  if (value.kind != Kind::string) return wrong_type("a string");
  const auto bytes = from_base64(value.text);
  if (!bytes) return bad_value("base64 with padding");
  append_bytes_field(tuple, *bytes);
  return std::nullopt;
}

}  // namespace

MaybeRejection append_field(std::string& tuple, const Value& value, const ColumnType& type) {
  if (value.is_absent()) {
    append_null_field(tuple);
    return std::nullopt;
  }
  switch (type.kind) {
    case Type::text:
    case Type::varchar:
    case Type::bpchar:
      return append_text(tuple, value, type);
    case Type::smallint:
      return append_integer(tuple, value, type, append_int16_field);
    case Type::integer:
      return append_integer(tuple, value, type, append_int32_field);
    case Type::bigint:
      return append_integer(tuple, value, type, append_int64_field);
    case Type::numeric:
      return append_numeric(tuple, value, type);
    case Type::real:
      return append_floating(tuple, value, type, append_float_field);
    case Type::double_precision:
      return append_floating(tuple, value, type, append_double_field);
    case Type::boolean:
      return append_boolean(tuple, value);
    case Type::date:
      return append_date(tuple, value);
    case Type::timestamptz:
      return append_timestamp(tuple, value, Zone::required);
    case Type::timestamp:
      return append_timestamp(tuple, value, Zone::forbidden);
    case Type::uuid:
      return append_uuid(tuple, value);
    case Type::inet:
      return append_inet(tuple, value);
    case Type::jsonb:
      return append_jsonb(tuple, value);
    case Type::bytea:
      return append_bytea(tuple, value);
  }
  bug("a column type that is not written");
}

}  // namespace sluice
