// SPDX-License-Identifier: Apache-2.0
#include "job/base/lone_surrogates.h"

#include <charconv>

namespace sluice {
namespace {

constexpr std::size_t kEscape = 6;  // \uXXXX

/// The code unit of an escape at the start of `text`, or 0, which is no surrogate either.
unsigned unit_at(std::string_view text) {
  unsigned unit = 0;
  if (text.size() < kEscape || !text.starts_with("\\u")) return 0;
  const char* const end = text.data() + kEscape;
  return std::from_chars(text.data() + 2, end, unit, 16).ptr == end ? unit : 0;
}

bool is_high(unsigned unit) { return unit >= 0xd800 && unit <= 0xdbff; }
bool is_low(unsigned unit) { return unit >= 0xdc00 && unit <= 0xdfff; }

}  // namespace

std::string without_lone_surrogates(std::string_view json, std::string_view stand_in) {
  std::string out;
  out.reserve(json.size());
  // Outside strings JSON has no backslash, so every one begins an escape.
  while (!json.empty()) {
    const std::size_t plain = std::min(json.find('\\'), json.size());
    out += json.substr(0, plain);
    json.remove_prefix(plain);
    const unsigned unit = unit_at(json);
    std::size_t taken = unit == 0 ? std::min<std::size_t>(2, json.size()) : kEscape;
    if (is_high(unit) && is_low(unit_at(json.substr(kEscape)))) taken = 2 * kEscape;
    const bool lone = (is_high(unit) || is_low(unit)) && taken == kEscape;
    out += lone ? stand_in : json.substr(0, taken);
    json.remove_prefix(taken);
  }
  return out;
}

}  // namespace sluice
