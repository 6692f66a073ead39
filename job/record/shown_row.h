// SPDX-License-Identifier: Apache-2.0
// A COPY BINARY tuple of ours, read back for people: what `preview` prints.
#pragma once

#include <string>
#include <string_view>

#include "job/config/pipeline.h"

namespace sluice {

/// The row as a JSON object, column by column: integers, floats and booleans as such, numeric as a
/// number with its digits kept, jsonb as it is, everything else as the text that Postgres would
/// show; NULL as null. The tuple must be one that job/record made for this table.
std::string shown_row(const Table& table, std::string_view tuple);

}  // namespace sluice
