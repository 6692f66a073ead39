// SPDX-License-Identifier: Apache-2.0
// When a body was sent, as one of its fields says.
#pragma once

#include <cstdint>

#include "job/base/rejection.h"
#include "job/record/value.h"

namespace sluice {

/// ISO 8601: a time, in UTC where it has no zone, or a date; or an integer, as number or text:
/// milliseconds since 1970 from 10¹¹ on (1973), seconds below (5138). After 1970-01-01 00:00 and
/// before 2200, or it is out of range. `value` must not be absent.
[[nodiscard]] MaybeRejection parse_sent_at(Value value, std::int64_t& sent_ms);

}  // namespace sluice
