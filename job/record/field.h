// SPDX-License-Identifier: Apache-2.0
// A value as a column's type, exactly or not at all: nothing is cut, rounded or guessed.
#pragma once

#include <optional>
#include <string>

#include "job/base/rejection.h"
#include "job/config/pipeline.h"
#include "job/record/value.h"

namespace sluice {

/// Appends the field of a COPY BINARY tuple; NULL for a value that is absent. After a rejection the
/// tuple's end is unspecified.
[[nodiscard]] MaybeRejection append_field(std::string& tuple, const Value& value,
                                          const ColumnType& type);

}  // namespace sluice
