// SPDX-License-Identifier: Apache-2.0
// The words of a column's `as`.
#include <algorithm>
#include <iterator>

#include "job/base/failure.h"
#include "job/base/moment.h"
#include "job/base/text.h"
#include "job/record/unicode.h"
#include "job/record/value.h"

namespace sluice {
namespace {

using Kind = Value::Kind;

/// Numbers with single dots between.
bool is_plain(std::string_view version) {
  bool in_number = false;
  for (const char c : version) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && !(c == '.' && in_number)) return false;
    in_number = digit;
  }
  return in_number;
}

std::string_view take_part(std::string_view& version) {
  const std::string_view part = version.substr(0, version.find('.'));
  version.remove_prefix(std::min(version.size(), part.size() + 1));
  return part;
}

Rejection no_version(std::string_view form) {
  return {Reason::bad_value, "expected a version of the form " + std::string(form)};
}

/// Parts weighed by powers of 100, at least `parts` of them: missing ones on the right are 0.
MaybeRejection weigh(std::string_view version, std::size_t parts, std::string& digits) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < parts || !version.empty(); ++i) {
    const std::string_view written = take_part(version);
    const auto part = written.empty() ? 0 : parse_integer<std::int64_t>(written);
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
  const bool plain = is_plain(value.text);
  std::string digits;
  if (as == As::version_digits) {
    if (!plain) return no_version("digits and dots");
    std::ranges::remove_copy(value.text, std::back_inserter(digits), '.');
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  } else {
    const bool padded = as == As::version_number;
    if (!plain || std::ranges::count(value.text, '.') > (padded ? 2 : 3)) {
      return no_version(padded ? "MAJOR.MINOR.PATCH" : "one to four numbers with dots between");
    }
    if (auto fault = weigh(value.text, padded ? 3 : 1, digits)) return fault;
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
