// SPDX-License-Identifier: Apache-2.0
#include "job/base/encoding.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace sluice {
namespace {

constexpr std::string_view kStandard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlSafe =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encode64(std::string_view bytes, std::string_view alphabet, bool padded) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8 | (i < have ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      if (i <= have) {
        out.push_back(alphabet[group >> (18 - 6 * i) & 63]);
      } else if (padded) {
        out.push_back('=');
      }
    }
  }
  return out;
}

constexpr std::array<std::int8_t, 256> reverse_of(std::string_view alphabet) {
  std::array<std::int8_t, 256> table{};
  for (auto& entry : table) entry = -1;
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}

constexpr auto kHexPairs = [] {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<std::array<char, 2>, 256> pairs{};
  for (std::size_t byte = 0; byte < pairs.size(); ++byte) {
    pairs[byte] = {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return pairs;
}();

}  // namespace

void append_hex(std::string& out, std::string_view bytes) {
  const std::size_t start = out.size();
  out.resize(start + bytes.size() * 2);
  char* at = out.data() + start;
  for (const char byte : bytes) {
    at = std::ranges::copy(kHexPairs[static_cast<unsigned char>(byte)], at).out;
  }
}

std::string to_hex(std::string_view bytes) {
  std::string out;
  append_hex(out, bytes);
  return out;
}

std::string uuid_text(const std::array<std::uint8_t, 16>& uuid) {
  const std::string hex = to_hex({reinterpret_cast<const char*>(uuid.data()), uuid.size()});
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
         hex.substr(16, 4) + "-" + hex.substr(20);
}

std::string to_base64(std::string_view bytes) { return encode64(bytes, kStandard, true); }
std::string to_base64url(std::string_view bytes) { return encode64(bytes, kUrlSafe, false); }

bool decode_base64(std::string& text) {
  static constexpr auto kReverse = reverse_of(kStandard);
  if (text.size() % 4 != 0) return false;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  std::size_t decoded = 0;  // never ahead of what is read
  for (std::size_t at = 0; at < text.size(); at += 4) {
    const std::size_t pad = at + 4 == text.size() ? padding : 0;
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const int digit = i >= 4 - pad ? 0 : kReverse[static_cast<unsigned char>(text[at + i])];
      if (digit < 0) return false;
      group = group << 6 | static_cast<std::uint32_t>(digit);
    }
    if (pad > 0 && (group & (pad == 1 ? 0xffU : 0xffffU)) != 0) return false;
    for (std::size_t i = 0; i < 3 - pad; ++i) {
      text[decoded++] = static_cast<char>(group >> (16 - 8 * i) & 0xff);
    }
  }
  text.resize(decoded);
  return true;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string bytes(text);
  if (!decode_base64(bytes)) return std::nullopt;
  return bytes;
}

}  // namespace sluice
