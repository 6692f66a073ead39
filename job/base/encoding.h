// SPDX-License-Identifier: Apache-2.0
// Bytes as text and back.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

/// Lower-case hexadecimal.
void append_hex(std::string& out, std::string_view bytes);
std::string to_hex(std::string_view bytes);

/// 8-4-4-4-12, as RFC 9562 writes a UUID.
std::string uuid_text(const std::array<std::uint8_t, 16>& uuid);

/// RFC 4648 with padding. Decoding is strict: no white space, no missing padding, no stray bits.
std::string to_base64(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);
/// The same, in place. False: what `text` then holds is unspecified.
[[nodiscard]] bool decode_base64(std::string& text);

/// RFC 4648 section 5, without padding.
std::string to_base64url(std::string_view bytes);

/// `value` as the `Bytes` low bytes in network order, appended.
template <int Bytes, typename Integer>
void append_big_endian(std::string& out, Integer value) {
  auto big = static_cast<std::uint64_t>(value) << (8 - Bytes) * 8;
  if constexpr (std::endian::native == std::endian::little) big = __builtin_bswap64(big);
  out.append(reinterpret_cast<const char*>(&big), Bytes);
}

}  // namespace sluice
