// SPDX-License-Identifier: Apache-2.0
// How a field of a body is named: by its top-level key, or by a JSON Pointer (RFC 6901).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// The keys from the top of the body downwards, at least one. None for what begins like a JSON
/// Pointer and is none.
std::optional<std::vector<std::string>> parse_field_path(std::string_view text);

}  // namespace sluice
