// SPDX-License-Identifier: Apache-2.0
// Values as JSON text again, every digit kept.
#pragma once

#include <optional>
#include <string>

#include "job/base/rejection.h"
#include "job/record/value.h"

namespace sluice {

/// Appends the value, which must not be missing or an instant, as Postgres's jsonb can read it.
/// Rejects what jsonb cannot hold: U+0000, and numbers beyond `numeric`.
[[nodiscard]] MaybeRejection append_json(std::string& out, const Value& value);

}  // namespace sluice
