// SPDX-License-Identifier: Apache-2.0
#include "job/record/shown_row.h"

#include <algorithm>
#include <bit>
#include <cstdint>

#include <boost/json.hpp>

#include "job/base/clock.h"
#include "job/base/copy_binary.h"
#include "job/base/encoding.h"
#include "job/base/failure.h"
#include "job/record/address.h"

namespace sluice {
namespace {

/// Big-endian integers from the front of a field.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}

  template <typename Integer>
  Integer take() {
    std::uint64_t value = 0;
    for (const char byte : take_bytes(sizeof(Integer))) {
      value = value << 8 | static_cast<unsigned char>(byte);
    }
    return static_cast<Integer>(value);
  }
  std::string_view take_bytes(std::size_t count) {
    require(count <= bytes_.size(), "a row is shorter than it says");
    const std::string_view front = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return front;
  }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
};

std::string quoted(std::string_view text) { return boost::json::serialize(text); }

std::string shown_number(double value) { return boost::json::serialize(boost::json::value(value)); }

std::string shown_day(std::int64_t days) {
  return rfc3339((days + kPostgresEpochDays) * 86'400'000).substr(0, 10);
}

/// "2026-11-20T10:07:00.123456", with a Z when there is a zone.
std::string shown_instant(std::int64_t us, bool zone) {
  const std::int64_t since_1970 = us + kPostgresEpochMs * 1000;
  const std::int64_t part = (since_1970 % 1'000'000 + 1'000'000) % 1'000'000;
  constexpr std::size_t kMillisAndZone = 5;
  std::string text = rfc3339((since_1970 - part) / 1000);
  text.resize(text.size() - kMillisAndZone);  // from its end: a zone may lead to the year 10000
  if (part != 0) {
    std::string digits = std::to_string(1'000'000 + part).substr(1);
    digits.erase(digits.find_last_not_of('0') + 1);
    text += "." + digits;
  }
  return text + (zone ? "Z" : "");
}

/// Postgres's numeric: groups of four digits, the first worth 10000^weight.
std::string shown_numeric(Bytes field) {
  const auto groups = field.take<std::int16_t>();
  const auto weight = field.take<std::int16_t>();
  const bool negative = field.take<std::uint16_t>() == 0x4000;
  const auto scale = field.take<std::int16_t>();
  std::string whole;
  std::string fraction;
  int left = groups;  // groups of zeros at the end are not written
  for (int place = std::max<int>(weight, 0);
       place >= 0 || static_cast<int>(fraction.size()) < scale; --place) {
    int group = 0;
    if (place <= weight && left > 0) {
      group = field.take<std::int16_t>();
      --left;
    }
    (place >= 0 ? whole : fraction) += std::to_string(10'000 + group).substr(1);
  }
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size() - 1));
  fraction.resize(static_cast<std::size_t>(scale));
  return (negative ? "-" : "") + whole + (scale > 0 ? "." + fraction : "");
}

std::string shown_inet(Bytes field) {
  Address address;
  constexpr std::uint8_t kFamilyV6 = 3;
  address.v6 = field.take<std::uint8_t>() == kFamilyV6;
  const int bits = field.take<std::uint8_t>();
  field.take_bytes(2);  // cidr flag, length
  std::copy(field.rest().begin(), field.rest().end(), address.bytes.begin());
  const bool whole = bits == (address.v6 ? 128 : 32);
  return address.text() + (whole ? "" : "/" + std::to_string(bits));
}

std::string shown_uuid(std::string_view bytes) {
  const std::string hex = to_hex(bytes);
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
         hex.substr(16, 4) + "-" + hex.substr(20);
}

std::string shown_field(std::string_view bytes, const ColumnType& type) {
  using Kind = ColumnType::Kind;
  Bytes field(bytes);
  switch (type.kind) {
    case Kind::text:
    case Kind::varchar:
    case Kind::bpchar:
      return quoted(bytes);
    case Kind::smallint:
      return std::to_string(field.take<std::int16_t>());
    case Kind::integer:
      return std::to_string(field.take<std::int32_t>());
    case Kind::bigint:
      return std::to_string(field.take<std::int64_t>());
    case Kind::numeric:
      return shown_numeric(field);
    case Kind::real:
      return shown_number(std::bit_cast<float>(field.take<std::uint32_t>()));
    case Kind::double_precision:
      return shown_number(std::bit_cast<double>(field.take<std::uint64_t>()));
    case Kind::boolean:
      return field.take<std::uint8_t>() != 0 ? "true" : "false";
    case Kind::date:
      return quoted(shown_day(field.take<std::int32_t>()));
    case Kind::timestamptz:
      return quoted(shown_instant(field.take<std::int64_t>(), true));
    case Kind::timestamp:
      return quoted(shown_instant(field.take<std::int64_t>(), false));
    case Kind::uuid:
      return quoted(shown_uuid(bytes));
    case Kind::inet:
      return quoted(shown_inet(field));
    case Kind::jsonb:
      return std::string(bytes.substr(1));
    case Kind::bytea:
      return quoted("\\x" + to_hex(bytes));
  }
  bug("a column of no type");
}

}  // namespace

std::string shown_row(const Table& table, std::string_view tuple) {
  Bytes bytes(tuple);
  require(bytes.take<std::uint16_t>() == table.columns.size(), "a row of another table");
  std::string row = "{";
  for (const Column& column : table.columns) {
    if (row.size() > 1) row += ",";
    row += quoted(column.name) + ":";
    const auto length = bytes.take<std::int32_t>();
    row += length < 0
               ? "null"
               : shown_field(bytes.take_bytes(static_cast<std::size_t>(length)), column.type);
  }
  return row + "}";
}

}  // namespace sluice
