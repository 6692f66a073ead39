// SPDX-License-Identifier: Apache-2.0
// The time, as an argument: nothing below the event loop asks for it.
#pragma once

#include <cstdint>
#include <string>

namespace sluice {

/// One moment on both clocks, in milliseconds. Durations are measured on `steady`, which never
/// jumps; `wall` is since 1970 UTC and is compared with SentTimestamp and written down.
struct Now {
  std::int64_t steady_ms = 0;
  std::int64_t wall_ms = 0;
};

Now now();

/// For measuring what things take, never for deciding. Reading it takes some 25 ns.
std::int64_t steady_ns();

/// "2026-11-20T10:07:00.123Z"
std::string rfc3339(std::int64_t wall_ms);

/// A calendar day in UTC (proleptic Gregorian), as days since 1970-01-01, and back.
std::int64_t days_from_civil(int year, unsigned month, unsigned day);
struct CivilDay {
  int year;
  unsigned month;
  unsigned day;
};
CivilDay civil_from_days(std::int64_t days);

}  // namespace sluice
