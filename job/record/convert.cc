// SPDX-License-Identifier: Apache-2.0
// The words of a column's `as`.
#include <algorithm>
#include <vector>

#include "job/base/failure.h"
#include "job/base/moment.h"
#include "job/base/text.h"
#include "job/record/unicode.h"
#include "job/record/value.h"

namespace sluice {
namespace {

using Kind = Value::Kind;

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

Rejection no_version(std::string_view form) {
  return {Reason::bad_value, "expected a version of the form " + std::string(form)};
}

/// Parts weighed by powers of 100, `parts` of them: missing ones on the right are 0.
MaybeRejection weigh(const std::vector<std::string_view>& written, std::size_t parts,
                     std::string& digits) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < std::max(parts, written.size()); ++i) {
    const auto part = i < written.size() ? parse_integer<std::int64_t>(written[i]) : 0;
    if (!part || (i > 0 && *part > 99)) {
      return Rejection{Reason::out_of_range, "a part of the version is too large"};
    }
    if (__builtin_mul_overflow(sum, 100, &sum) || __builtin_add_overflow(sum, *part, &sum)) {
      return Rejection{Reason::out_of_range, "the version is too large"};
    }
  }
  digits = std::to_string(sum);
  return std::nullopt;
}

MaybeRejection version(As as, Value& value, std::string& scratch) {
  if (value.kind != Kind::string) return Rejection{Reason::wrong_type, "expected a string"};
  const auto parts = split(value.text, '.');
  const bool plain = std::all_of(parts.begin(), parts.end(), all_digits);
  std::string digits;
  if (as == As::version_digits) {
    if (!plain) return no_version("digits and dots");
    for (const std::string_view part : parts) digits += part;
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  } else {
    const bool padded = as == As::version_number;
    if (!plain || parts.size() > (padded ? 3 : 4)) {
      return no_version(padded ? "MAJOR.MINOR.PATCH" : "one to four numbers with dots between");
    }
    if (auto fault = weigh(parts, padded ? 3 : 1, digits)) return fault;
  }
  scratch = std::move(digits);
  value = {.kind = Kind::number, .text = scratch};
  return std::nullopt;
}

MaybeRejection cleaned(As as, Value& value, std::string& scratch) {
  if (value.kind != Kind::string) return Rejection{Reason::wrong_type, "expected a string"};
  if (as == As::trim) {
    value.text = trim_white_space(value.text);
  } else {
    scratch = to_lower(value.text);
    value.text = scratch;
  }
  return std::nullopt;
}

MaybeRejection epoch(std::int64_t us_per_unit, Value& value) {
  const bool integer =
      value.kind == Kind::number && value.text.find_first_of(".eE") == std::string_view::npos;
  if (!integer) return Rejection{Reason::wrong_type, "expected an integer"};
  const auto units = parse_integer<std::int64_t>(value.text);
  if (!units || *units < kFirstInstantUs / us_per_unit || *units > kLastInstantUs / us_per_unit) {
    return Rejection{Reason::out_of_range, "outside the years 0001 to 9999"};
  }
  value = {.kind = Kind::instant, .us = *units * us_per_unit};
  return std::nullopt;
}

}  // namespace

MaybeRejection convert(As as, Value& value, std::string& scratch) {
  if (value.is_absent()) return std::nullopt;
  switch (as) {
    case As::is:
      return std::nullopt;
    case As::version_number:
    case As::version_base100:
    case As::version_digits:
      return version(as, value, scratch);
    case As::lower:
    case As::trim:
      return cleaned(as, value, scratch);
    case As::epoch_seconds:
      return epoch(1'000'000, value);
    case As::epoch_millis:
      return epoch(1000, value);
  }
  bug("an `as` that is not carried out");
}

}  // namespace sluice
