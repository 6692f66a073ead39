// SPDX-License-Identifier: Apache-2.0
#include "job/base/clock.h"

#include <chrono>
#include <cstdio>

namespace sluice {

Now now() {
  using namespace std::chrono;
  const auto ms = [](auto since) {
    return duration_cast<milliseconds>(since.time_since_epoch()).count();
  };
  return {ms(steady_clock::now()), ms(system_clock::now())};
}

std::int64_t steady_ns() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

std::int64_t days_from_civil(int year, unsigned month, unsigned day) {
  using namespace std::chrono;
  return sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day))
      .time_since_epoch()
      .count();
}

CivilDay civil_from_days(std::int64_t days) {
  const std::chrono::year_month_day ymd{std::chrono::sys_days(std::chrono::days(days))};
  return {int(ymd.year()), unsigned(ymd.month()), unsigned(ymd.day())};
}

std::string rfc3339(std::int64_t wall_ms) {
  constexpr std::int64_t kDayMs = 86'400'000;
  std::int64_t day = wall_ms / kDayMs;
  if (wall_ms % kDayMs < 0) --day;
  const std::int64_t ms = wall_ms - day * kDayMs;
  const CivilDay civil = civil_from_days(day);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", civil.year, civil.month,
                civil.day, int(ms / 3'600'000), int(ms / 60'000 % 60), int(ms / 1000 % 60),
                int(ms % 1000));
  return text;
}

}  // namespace sluice
