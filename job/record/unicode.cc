// SPDX-License-Identifier: Apache-2.0
#include "job/record/unicode.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include <utf8proc.h>

#include "job/base/failure.h"

namespace sluice {
namespace {

constexpr int kMostCombining = 256;

const utf8proc_uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const utf8proc_uint8_t*>(text.data());
}

/// Most of all text, and answered here: utf8proc looks each character up in its tables.
bool is_ascii(char c) { return (c & 0x80) == 0; }
bool is_ascii(std::int32_t c) { return c < 0x80; }

bool is_continuation(char c) { return (c & 0xc0) == 0x80; }

struct CodePoint {
  std::int32_t value;  // negative: no UTF-8
  std::size_t size;
};

CodePoint first_of(std::string_view text) {
  if (is_ascii(text[0])) return {text[0], 1};
  utf8proc_int32_t value = -1;
  const auto size =
      utf8proc_iterate(bytes_of(text), static_cast<utf8proc_ssize_t>(text.size()), &value);
  return {value, size > 0 ? static_cast<std::size_t>(size) : 1};
}

CodePoint last_of(std::string_view text) {
  std::size_t start = text.size() - 1;
  while (start > 0 && is_continuation(text[start])) --start;
  return first_of(text.substr(start));
}

/// The property White_Space, which utf8proc does not tell: PropList.txt of Unicode 15, unchanged
/// since 6.3.
bool is_white_space(std::int32_t c) {
  return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

bool is_control(std::int32_t c) {
  return is_ascii(c) ? c < 0x20 || c == 0x7f : utf8proc_category(c) == UTF8PROC_CATEGORY_CC;
}

bool has_many_combining(std::string_view text) {
  int run = 0;
  while (!text.empty()) {
    const CodePoint c = first_of(text);
    run = utf8proc_get_property(c.value)->combining_class == 0 ? 0 : run + 1;
    if (run > kMostCombining) return true;
    text.remove_prefix(c.size);
  }
  return false;
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const CodePoint c = first_of(bytes);
    if (c.value < 0) return false;
    bytes.remove_prefix(c.size);
  }
  return true;
}

std::size_t count_code_points(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

std::string_view trim_white_space(std::string_view text) {
  while (!text.empty()) {
    const CodePoint c = first_of(text);
    if (!is_white_space(c.value)) break;
    text.remove_prefix(c.size);
  }
  while (!text.empty()) {
    const CodePoint c = last_of(text);
    if (!is_white_space(c.value)) break;
    text.remove_suffix(c.size);
  }
  return text;
}

bool has_white_space_or_control(std::string_view text) {
  while (!text.empty()) {
    const CodePoint c = first_of(text);
    if (is_white_space(c.value) || is_control(c.value)) return true;
    text.remove_prefix(c.size);
  }
  return false;
}

std::string to_lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint c = first_of(text);
    text.remove_prefix(c.size);
    if (is_ascii(c.value)) {
      out.push_back(static_cast<char>(c.value >= 'A' && c.value <= 'Z' ? c.value | 0x20 : c.value));
      continue;
    }
    utf8proc_uint8_t encoded[4];
    const auto size = utf8proc_encode_char(utf8proc_tolower(c.value), encoded);
    out.append(encoded, encoded + size);
  }
  return out;
}

std::optional<std::string> to_nfc(std::string_view text) {
  if (std::ranges::all_of(text, [](char c) { return is_ascii(c); })) return std::string(text);
  if (has_many_combining(text)) return std::nullopt;
  utf8proc_uint8_t* composed = nullptr;
  const auto size =
      utf8proc_map(bytes_of(text), static_cast<utf8proc_ssize_t>(text.size()), &composed,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(composed, &std::free);
  require(size >= 0, "utf8proc could not compose valid text");
  return std::string(composed, composed + size);
}

}  // namespace sluice
