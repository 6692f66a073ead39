// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/properties.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <iterator>
#include <string>
#include <unordered_set>

#include "tests/fuzz/targets.h"

namespace sluice::fuzz {
namespace {

/// libFuzzer sees what text is compared with, and would put that into its inputs.
std::size_t hash_of(std::string_view text) { return std::hash<std::string_view>()(text); }

}  // namespace

void must_hold(bool holds, std::string_view what) {
  if (holds) return;
  std::cerr << "does not hold: " << what << std::endl;
  std::abort();
}

bool repeats(std::string_view text, std::string_view input, std::size_t length) {
  std::unordered_set<std::size_t> pieces;
  for (std::size_t at = 0; at + length <= text.size(); ++at) {
    pieces.insert(hash_of(text.substr(at, length)));
  }
  if (pieces.empty()) return false;
  for (std::size_t at = 0; at + length <= input.size(); ++at) {
    if (pieces.contains(hash_of(input.substr(at, length)))) return true;
  }
  return false;
}

std::string without(std::string text, std::string_view word) {
  for (std::size_t at = 0; at + word.size() <= text.size(); ++at) {
    if (hash_of(std::string_view(text).substr(at, word.size())) == hash_of(word)) {
      return text.erase(at, word.size());
    }
  }
  return text;
}

std::string_view take_line(std::string_view& input) {
  const std::string_view line = input.substr(0, input.find('\n'));
  input.remove_prefix(std::min(line.size() + 1, input.size()));
  return line;
}

const Target& target_named(std::string_view name) {
  const auto* const target = std::find_if(std::begin(kTargets), std::end(kTargets),
                                          [&](const Target& each) { return each.name == name; });
  must_hold(target != std::end(kTargets), "no target named '" + std::string(name) + "'");
  return *target;
}

}  // namespace sluice::fuzz
