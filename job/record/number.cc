// SPDX-License-Identifier: Apache-2.0
#include "job/record/number.h"

#include <algorithm>

#include "job/base/copy_binary.h"
#include "job/base/text.h"

namespace sluice {
namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::int64_t kMostExponent = 1'000'000'000;

std::string_view take_digits(std::string_view& text) {
  const std::string_view digits = text.substr(0, text.find_first_not_of(kDigits));
  text.remove_prefix(digits.size());
  return digits;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

/// What stands behind the `e`.
std::optional<std::int64_t> take_exponent(std::string_view& text) {
  const bool negative = take(text, '-');
  if (!negative) take(text, '+');
  const std::string_view digits = take_digits(text);
  if (digits.empty()) return std::nullopt;
  const std::int64_t size =
      std::min(parse_integer<std::int64_t>(digits).value_or(kMostExponent), kMostExponent);
  return negative ? -size : size;
}

}  // namespace

std::optional<Decimal> Decimal::parse(std::string_view text) {
  Decimal number{.negative = take(text, '-')};
  const std::string_view whole = take_digits(text);
  if (whole.empty() || (whole.size() > 1 && whole[0] == '0')) return std::nullopt;
  std::string_view fraction;
  if (take(text, '.')) {
    fraction = take_digits(text);
    if (fraction.empty()) return std::nullopt;
  }
  std::int64_t exponent = 0;
  if (take(text, 'e') || take(text, 'E')) {
    const auto taken = take_exponent(text);
    if (!taken) return std::nullopt;
    exponent = *taken;
  }
  if (!text.empty()) return std::nullopt;

  number.scale = std::max<std::int64_t>(0, static_cast<std::int64_t>(fraction.size()) - exponent);
  number.digits.append(whole).append(fraction);
  const std::size_t first = number.digits.find_first_not_of('0');
  if (first == std::string::npos) return Decimal{.scale = number.scale};
  number.point =
      static_cast<std::int64_t>(whole.size()) - static_cast<std::int64_t>(first) + exponent;
  number.digits.erase(number.digits.find_last_not_of('0') + 1);
  number.digits.erase(0, first);
  return number;
}

// PostgreSQL's numeric_send: int16 count of base-10000 digits, weight of the first, sign, display
// scale; the digits.
void append_numeric_field(std::string& tuple, const Decimal& number, int scale) {
  constexpr std::int64_t kWidth = 4;  // decimal digits in one of base 10000
  constexpr int kNegative = 0x4000;
  const std::int64_t weight =
      number.point > 0 ? (number.point - 1) / kWidth : number.point / kWidth - 1;
  const auto lead = static_cast<std::size_t>((weight + 1) * kWidth - number.point);
  std::string digits = number.is_zero() ? "" : std::string(lead, '0') + number.digits;
  digits.resize((digits.size() + kWidth - 1) / kWidth * kWidth, '0');
  const std::size_t groups = digits.size() / kWidth;

  append_big_endian<4>(tuple, 8 + 2 * groups);
  append_big_endian<2>(tuple, groups);
  append_big_endian<2>(tuple, number.is_zero() ? 0 : weight);
  append_big_endian<2>(tuple, number.negative ? kNegative : 0);
  append_big_endian<2>(tuple, scale);
  for (std::size_t at = 0; at < digits.size(); at += kWidth) {
    append_big_endian<2>(tuple, *parse_integer<int>(std::string_view(digits).substr(at, kWidth)));
  }
}

}  // namespace sluice
