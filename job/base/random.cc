// SPDX-License-Identifier: Apache-2.0
#include "job/base/random.h"

#include <sys/random.h>

#include "job/base/encoding.h"
#include "job/base/failure.h"

namespace sluice {

std::array<std::uint8_t, 16> random_128() {
  std::array<std::uint8_t, 16> bytes{};
  // Up to 256 bytes come whole, uninterrupted, once the pool is seeded (getrandom(2)).
  require(::getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()),
          "getrandom gave too little");
  return bytes;
}

std::string random_uuid() {
  auto bytes = random_128();
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);  // version 4
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);  // variant of RFC 9562
  return uuid_text(bytes);
}

}  // namespace sluice
