// SPDX-License-Identifier: Apache-2.0
// Dates and times as ISO 8601 writes them in full; nothing that has to be guessed.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice {

/// The years 0001 to 9999 in UTC, in microseconds since 1970.
inline constexpr std::int64_t kFirstInstantUs = -62'135'596'800'000'000;
inline constexpr std::int64_t kLastInstantUs = 253'402'300'799'999'999;

/// "2026-11-20" in days since 1970-01-01.
std::optional<std::int64_t> parse_date(std::string_view text);

enum class Zone { required, forbidden };

/// "2026-11-20T10:07:00.123456+01:00" in microseconds since 1970-01-01 00:00, UTC when there is a
/// zone. `T` or a space; seconds are required; a seventh and later digit of the fraction must be 0;
/// zone: Z, ±hh:mm, ±hhmm, ±hh.
std::optional<std::int64_t> parse_timestamp(std::string_view text, Zone zone);

}  // namespace sluice
