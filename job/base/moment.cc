// SPDX-License-Identifier: Apache-2.0
#include "job/base/moment.h"

#include <chrono>

#include "job/base/clock.h"
#include "job/base/text.h"

namespace sluice {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;

/// Reads a fixed form from the left; once something is missing, everything after it is missing too.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  /// Exactly `width` digits, at most `most`.
  int number(std::size_t width, int least, int most) {
    const std::string_view digits = rest_.substr(0, width);
    const auto value = parse_integer<int>(digits);
    ok_ = ok_ && digits.size() == width && digits[0] != '-' && value && *value >= least &&
          *value <= most;
    rest_.remove_prefix(digits.size());
    return ok_ ? *value : 0;
  }
  bool skip(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(bool holds) { ok_ = ok_ && holds; }
  bool ok() const { return ok_; }
  bool done() const { return rest_.empty(); }

  /// The digits behind the point, in microseconds.
  std::int64_t fraction() {
    const std::string_view digits = rest_.substr(0, rest_.find_first_not_of("0123456789"));
    rest_.remove_prefix(digits.size());
    expect(!digits.empty());
    std::int64_t us = 0;
    for (std::size_t i = 0; i < 6; ++i) us = us * 10 + (i < digits.size() ? digits[i] - '0' : 0);
    expect(digits.find_first_not_of('0', 6) == std::string_view::npos);
    return us;
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

std::int64_t scan_days(Scanner& scan) {
  const int year = scan.number(4, 1, 9999);
  scan.expect(scan.skip('-'));
  const int month = scan.number(2, 1, 12);
  scan.expect(scan.skip('-'));
  const int day = scan.number(2, 1, 31);
  using namespace std::chrono;
  scan.expect((std::chrono::year(year) / month / day).ok());
  return scan.ok() ? days_from_civil(year, static_cast<unsigned>(month), static_cast<unsigned>(day))
                   : 0;
}

std::int64_t scan_time_us(Scanner& scan) {
  const int hour = scan.number(2, 0, 23);
  scan.expect(scan.skip(':'));
  const int minute = scan.number(2, 0, 59);
  scan.expect(scan.skip(':'));
  const int second = scan.number(2, 0, 59);
  const std::int64_t fraction = scan.skip('.') ? scan.fraction() : 0;
  return (hour * 3600 + minute * 60 + second) * kSecondUs + fraction;
}

std::int64_t scan_zone_us(Scanner& scan) {
  if (scan.skip('Z')) return 0;
  const bool west = scan.skip('-');
  scan.expect(west || scan.skip('+'));
  const int hour = scan.number(2, 0, 15);  // as far as Postgres goes
  const int minute = scan.skip(':') || !scan.done() ? scan.number(2, 0, 59) : 0;
  const std::int64_t offset = (hour * 3600 + minute * 60) * kSecondUs;
  return west ? -offset : offset;
}

}  // namespace

std::optional<std::int64_t> parse_date(std::string_view text) {
  Scanner scan(text);
  const std::int64_t days = scan_days(scan);
  if (!scan.ok() || !scan.done()) return std::nullopt;
  return days;
}

std::optional<std::int64_t> parse_timestamp(std::string_view text, Zone zone) {
  Scanner scan(text);
  const std::int64_t days = scan_days(scan);
  scan.expect(scan.skip('T') || scan.skip(' '));
  const std::int64_t time = scan_time_us(scan);
  const std::int64_t offset = zone == Zone::required ? scan_zone_us(scan) : 0;
  if (!scan.ok() || !scan.done()) return std::nullopt;
  return days * 86'400 * kSecondUs + time - offset;
}

}  // namespace sluice
