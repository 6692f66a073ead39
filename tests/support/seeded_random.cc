// SPDX-License-Identifier: Apache-2.0
#include "tests/support/seeded_random.h"

#include <string_view>

#include "job/base/encoding.h"

namespace sluice {

UuidBytes seeded_uuid(SeededRandom& random) {
  UuidBytes uuid;
  for (std::size_t half = 0; half < 2; ++half) {
    const std::uint64_t bits = random.next();
    for (std::size_t i = 0; i < 8; ++i) uuid[half * 8 + i] = bits >> (i * 8) & 0xff;
  }
  uuid[6] = static_cast<std::uint8_t>((uuid[6] & 0x0f) | 0x40);
  uuid[8] = static_cast<std::uint8_t>((uuid[8] & 0x3f) | 0x80);
  return uuid;
}

std::string to_text(const UuidBytes& uuid) {
  std::string text = to_hex({reinterpret_cast<const char*>(uuid.data()), uuid.size()});
  for (const std::size_t dash : {8u, 13u, 18u, 23u}) text.insert(dash, 1, '-');
  return text;
}

}  // namespace sluice
