// SPDX-License-Identifier: Apache-2.0
// Percent encoding as signatures want it: every byte but RFC 3986's unreserved ones.
#pragma once

#include <string>
#include <string_view>

namespace sluice {

std::string percent_encoded(std::string_view text);
/// What is no escape stays as it is.
std::string percent_decoded(std::string_view text);

}  // namespace sluice
