// SPDX-License-Identifier: Apache-2.0
// Integers and texts one behind the other: little-endian, a text is its u32 length and its bytes.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace sluice::packed {

template <std::size_t Size>
std::string_view view(const std::array<std::uint8_t, Size>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), Size};
}

template <std::integral Integer>
void append(std::string& out, Integer value) {
  std::array<char, sizeof(Integer)> bytes;
  auto rest = static_cast<std::uint64_t>(value);
  for (char& byte : bytes) {
    byte = static_cast<char>(rest & 0xff);
    rest >>= 8;
  }
  out.append(bytes.data(), bytes.size());
}

/// The length of something that is counted in an `Integer` on disk.
template <std::unsigned_integral Integer>
Integer length(std::size_t size) {
  if (size > std::numeric_limits<Integer>::max()) throw std::length_error("too long to be packed");
  return static_cast<Integer>(size);
}

inline void append_text(std::string& out, std::string_view text) {
  append(out, length<std::uint32_t>(text.size()));
  out.append(text);
}

/// Reads what was appended, from front to back. Each call is false, and reads nothing, when too few
/// bytes are left.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::size_t left() const { return rest_.size(); }

  template <std::integral Integer>
  [[nodiscard]] bool read(Integer& value) {
    std::string_view bytes;
    if (!take(sizeof(Integer), bytes)) return false;
    std::uint64_t whole = 0;
    for (std::size_t i = sizeof(Integer); i-- > 0;) {
      whole = whole << 8 | static_cast<std::uint8_t>(bytes[i]);
    }
    value = static_cast<Integer>(whole);
    return true;
  }

  template <std::size_t Size>
  [[nodiscard]] bool read(std::array<std::uint8_t, Size>& value) {
    std::string_view bytes;
    if (!take(Size, bytes)) return false;
    bytes.copy(reinterpret_cast<char*>(value.data()), Size);
    return true;
  }

  [[nodiscard]] bool read_text(std::string_view& text) {
    const std::string_view before = rest_;
    std::uint32_t size = 0;
    if (read(size) && take(size, text)) return true;
    rest_ = before;
    return false;
  }

 private:
  bool take(std::size_t size, std::string_view& bytes) {
    if (size > rest_.size()) return false;
    bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }

  std::string_view rest_;
};

}  // namespace sluice::packed
