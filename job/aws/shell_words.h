// SPDX-License-Identifier: Apache-2.0
// A command line in words, as a shell would split it, and nothing else of a shell.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// As Python's shlex.split, which AWS's tools use: blanks separate; 'all as it is'; in "…" a
/// backslash keeps its place except before a quote or a backslash; elsewhere it takes the next
/// character as it is. Nothing when a quote is not closed.
std::optional<std::vector<std::string>> shell_words(std::string_view line);

}  // namespace sluice
