// SPDX-License-Identifier: Apache-2.0
#include "job/archive/sent_at.h"

#include <optional>
#include <string>

#include "job/base/moment.h"
#include "job/base/text.h"
#include "job/queue/sqs_message.h"

namespace sluice {
namespace {

constexpr std::int64_t kDayUs = 86'400'000'000;
constexpr std::int64_t kFirstMillis = 100'000'000'000;

std::optional<std::int64_t> iso_us(std::string_view text) {
  if (const auto us = parse_timestamp(text, Zone::required)) return us;
  if (const auto us = parse_timestamp(text, Zone::forbidden)) return us;
  if (const auto days = parse_date(text)) return *days * kDayUs;
  return std::nullopt;
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

MaybeRejection parse_sent_at(Value value, std::int64_t& sent_ms) {
  if (value.kind == Value::Kind::string && !is_digits(value.text)) {
    const auto us = iso_us(value.text);
    if (!us) return Rejection{Reason::bad_value, "expected a time of ISO 8601 or an integer"};
    value.us = *us;
  } else {
    if (value.kind == Value::Kind::string) value.kind = Value::Kind::number;
    const auto units = parse_integer<std::int64_t>(value.text);
    const As as = units && *units >= kFirstMillis ? As::epoch_millis : As::epoch_seconds;
    std::string scratch;
    if (auto fault = convert(as, value, scratch)) return fault;
  }
  sent_ms = value.us / 1000;
  if (sent_ms > 0 && sent_ms < kEndOfDaysMs) return std::nullopt;
  return Rejection{Reason::out_of_range, "outside the years 1970 to 2199"};
}

}  // namespace sluice
