// SPDX-License-Identifier: Apache-2.0
#include "job/record/uuid.h"

namespace sluice {
namespace {

/// Of a hexadecimal digit; 16 for anything else.
constexpr std::array<std::uint8_t, 256> kDigits = [] {
  std::array<std::uint8_t, 256> values{};
  for (auto& value : values) value = 16;
  for (std::uint8_t i = 0; i < 10; ++i) values['0' + i] = i;
  for (std::uint8_t i = 0; i < 6; ++i) values['a' + i] = values['A' + i] = 10 + i;
  return values;
}();

}  // namespace

std::optional<Uuid> parse_uuid(std::string_view text) {
  const bool dashed = text.size() == 36;
  if (!dashed && text.size() != 32) return std::nullopt;
  Uuid uuid{};
  const char* at = text.data();
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (dashed && (i == 4 || i == 6 || i == 8 || i == 10) && *at++ != '-') return std::nullopt;
    const unsigned high = kDigits[static_cast<unsigned char>(*at++)];
    const unsigned low = kDigits[static_cast<unsigned char>(*at++)];
    if (high > 15 || low > 15) return std::nullopt;
    uuid[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return uuid;
}

}  // namespace sluice
