// SPDX-License-Identifier: Apache-2.0
// What Unicode says about text. Everything but is_utf8 takes valid UTF-8.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

bool is_utf8(std::string_view bytes);

/// Characters as Postgres counts them in varchar(n): code points.
std::size_t count_code_points(std::string_view text);

/// Without the characters of the property White_Space at both ends.
std::string_view trim_white_space(std::string_view text);
/// Whether a character of the property White_Space, or a control character, stands anywhere.
bool has_white_space_or_control(std::string_view text);

/// Each code point in lower case by Unicode's simple mapping, independent of any locale.
std::string to_lower(std::string_view text);

/// Normalization Form C. None for more than 256 combining marks in a row: sorting them takes
/// quadratic time, and Unicode's Stream-Safe Text Format (UAX #15) ends at 30.
std::optional<std::string> to_nfc(std::string_view text);

}  // namespace sluice
