// SPDX-License-Identifier: Apache-2.0
// What this program was built from.
#pragma once

#include <string_view>

namespace sluice {

/// Of the repository, abbreviated, or "unknown". cmake/commit.cmake links another definition into
/// the program, and into nothing else: a commit makes no other file to be built again.
std::string_view build_commit();

}  // namespace sluice
