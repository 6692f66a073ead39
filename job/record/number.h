// SPDX-License-Identifier: Apache-2.0
// Decimal numbers as JSON writes them, exactly, and as Postgres's `numeric`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

/// 0.d₁d₂d₃… × 10^point. Zero has no digits and no sign.
struct Decimal {
  bool negative = false;
  std::string digits = {};  // neither the first nor the last is 0
  std::int64_t point =
      0;  // digits before the decimal point; may be negative, or more than there are digits
  std::int64_t scale = 0;  // digits behind the point as written, zeros at the end included

  /// The whole text as a JSON number (RFC 8259 section 6). Exponents beyond 10⁹ count as 10⁹.
  static std::optional<Decimal> parse(std::string_view text);

  bool is_zero() const { return digits.empty(); }
  /// Digits behind the point that say something.
  std::int64_t significant_scale() const {
    return static_cast<std::int64_t>(digits.size()) - point;
  }
};

/// The field of a COPY BINARY tuple for numeric(_, scale). The number must fit.
void append_numeric_field(std::string& tuple, const Decimal& number, int scale);

}  // namespace sluice
