// SPDX-License-Identifier: Apache-2.0
// What others say of an error, before it is repeated in a Failure.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sluice {

/// On one line, in printable ASCII and short; empty when it repeats a part of a secret that its
/// author was given.
std::string quotable(std::string_view said, std::span<const std::string_view> secrets);

}  // namespace sluice
