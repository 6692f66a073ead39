// SPDX-License-Identifier: Apache-2.0
// Numbers, durations and sizes as people write them; and what they may have meant.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// The whole text as an integer in decimal, without white space or a plus sign.
template <typename Integer>
std::optional<Integer> parse_integer(std::string_view text) {
  Integer value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

/// "500ms" "30s" "50m" "2h" "15d" in milliseconds.
std::optional<std::int64_t> parse_duration_ms(std::string_view text);
std::string format_duration(std::int64_t ms);

/// "64MiB", "10KiB", "1GiB", "512B" or a bare number of bytes.
std::optional<std::int64_t> parse_bytes(std::string_view text);
std::string format_bytes(std::int64_t bytes);

/// "1,234,567"
std::string grouped(std::int64_t number);
/// As long as one reads at a glance: "7.4 s" "99 s" "12 min" "36 h" "5 d".
std::string rough_duration(std::int64_t ms);

/// The candidate nearest to `word` by edit distance, when near enough to be what was meant.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates);
/// "; did you mean 'run'?", or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

/// "a, b and c"
std::string listed(std::span<const std::string_view> words);

std::string_view trim_ascii(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);
std::string lower_ascii(std::string_view text);

/// ASCII only, for a log or a summary: what is not printable ASCII becomes '?', and the text is cut
/// at `most`.
std::string printable(std::string_view text, std::size_t most = 300);

}  // namespace sluice
