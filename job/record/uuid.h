// SPDX-License-Identifier: Apache-2.0
// UUIDs as text.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice {

using Uuid = std::array<std::uint8_t, 16>;

/// 8-4-4-4-12 or 32 hexadecimal digits, in either case; no braces.
std::optional<Uuid> parse_uuid(std::string_view text);

}  // namespace sluice
