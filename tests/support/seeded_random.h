// SPDX-License-Identifier: Apache-2.0
// Random numbers that are the same on every machine for the same seed (SplitMix64: Steele, Lea and
// Flood, 2014).
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace sluice {

class SeededRandom {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }
  /// From 0 to `bound` - 1.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  bool chance(double probability) {
    return static_cast<double>(next() >> 11) * 0x1p-53 < probability;
  }

 private:
  std::uint64_t state_;
};

using UuidBytes = std::array<std::uint8_t, 16>;

/// Version 4, as RFC 9562 lays it out.
UuidBytes seeded_uuid(SeededRandom& random);
std::string to_text(const UuidBytes& uuid);

}  // namespace sluice
