// SPDX-License-Identifier: Apache-2.0
#include "job/record/uuid.h"

#include <charconv>

namespace sluice {

std::optional<Uuid> parse_uuid(std::string_view text) {
  const bool dashed = text.size() == 36;
  if (!dashed && text.size() != 32) return std::nullopt;
  Uuid uuid{};
  const char* at = text.data();
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (dashed && (i == 4 || i == 6 || i == 8 || i == 10) && *at++ != '-') return std::nullopt;
    const auto [end, error] = std::from_chars(at, at + 2, uuid[i], 16);
    if (error != std::errc() || end != at + 2) return std::nullopt;
    at = end;
  }
  return uuid;
}

}  // namespace sluice
