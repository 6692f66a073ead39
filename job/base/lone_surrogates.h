// SPDX-License-Identifier: Apache-2.0
// Halves of UTF-16 pairs, written in JSON as \ud83d: allowed by its grammar, but no text.
#pragma once

#include <string>
#include <string_view>

namespace sluice {

/// `json` with each escape of a lone surrogate replaced by `stand_in`, itself an escape such as
/// "\\ufffd".
std::string without_lone_surrogates(std::string_view json, std::string_view stand_in);

}  // namespace sluice
