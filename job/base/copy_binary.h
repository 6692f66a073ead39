// SPDX-License-Identifier: Apache-2.0
// The fields of Postgres's COPY BINARY format, one function a kind: pure. A tuple is
// `append_field_count` and then that many fields, in the order of the columns. Used wherever a row
// becomes bytes: for the target, ledger and rejections.
//
// Source: PostgreSQL documentation, COPY, "Binary Format"; the fields are those of each type's
// `*_send` function.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "job/base/encoding.h"

namespace sluice {

/// Postgres counts days and microseconds from 2000-01-01, UTC.
inline constexpr std::int64_t kPostgresEpochDays = 10'957;  // after 1970-01-01
inline constexpr std::int64_t kPostgresEpochMs = kPostgresEpochDays * 86'400'000;

inline void append_field_count(std::string& tuple, std::uint16_t fields) {
  append_big_endian<2>(tuple, fields);
}

inline void append_null_field(std::string& tuple) { append_big_endian<4>(tuple, -1); }

/// text, varchar, char, bytea: as they are. The caller has checked the encoding and the length (at
/// most 1 GB).
inline void append_bytes_field(std::string& tuple, std::string_view bytes) {
  append_big_endian<4>(tuple, bytes.size());
  tuple.append(bytes);
}

/// jsonb: its format version, 1, and the JSON text.
inline void append_jsonb_field(std::string& tuple, std::string_view json) {
  append_big_endian<4>(tuple, json.size() + 1);
  tuple.push_back('\1');
  tuple.append(json);
}

inline void append_bool_field(std::string& tuple, bool value) {
  append_big_endian<4>(tuple, 1);
  tuple.push_back(value ? '\1' : '\0');
}

inline void append_int16_field(std::string& tuple, std::int16_t value) {
  append_big_endian<4>(tuple, 2);
  append_big_endian<2>(tuple, value);
}

inline void append_int32_field(std::string& tuple, std::int32_t value) {
  append_big_endian<4>(tuple, 4);
  append_big_endian<4>(tuple, value);
}

inline void append_int64_field(std::string& tuple, std::int64_t value) {
  append_big_endian<4>(tuple, 8);
  append_big_endian<8>(tuple, value);
}

inline void append_float_field(std::string& tuple, float value) {
  append_int32_field(tuple, std::bit_cast<std::int32_t>(value));
}

inline void append_double_field(std::string& tuple, double value) {
  append_int64_field(tuple, std::bit_cast<std::int64_t>(value));
}

/// `days` since 1970-01-01.
inline void append_date_field(std::string& tuple, std::int64_t days) {
  append_int32_field(tuple, static_cast<std::int32_t>(days - kPostgresEpochDays));
}

/// timestamp and timestamptz: `us`, microseconds since 1970-01-01 00:00 (UTC for timestamptz).
inline void append_timestamp_field(std::string& tuple, std::int64_t us) {
  append_int64_field(tuple, us - kPostgresEpochMs * 1000);
}

inline void append_uuid_field(std::string& tuple, const std::array<std::uint8_t, 16>& uuid) {
  append_big_endian<4>(tuple, uuid.size());
  tuple.append(reinterpret_cast<const char*>(uuid.data()), uuid.size());
}

}  // namespace sluice
