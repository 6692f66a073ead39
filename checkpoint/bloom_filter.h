// SPDX-License-Identifier: Apache-2.0
// Whether a 128-bit key may have come before, in few bits a key.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice {

/// The four bits of a key lie in one word, which costs accuracy and saves three misses of the
/// processor's cache.
class BloomFilter {
 public:
  using Key = std::array<std::uint8_t, 16>;

  /// Holds nothing, and takes nothing.
  BloomFilter() = default;
  /// Of so many words of 64 bits.
  explicit BloomFilter(std::size_t words) : words_(words) {}

  bool has_room() const { return !words_.empty(); }
  void add(const Key& key);
  /// Never false for one that was added; with four keys a word true for about one of a hundred
  /// others.
  bool may_hold(const Key& key) const;

 private:
  struct Place {
    std::size_t word;
    std::uint64_t bits;
  };
  Place place_of(const Key& key) const;

  std::vector<std::uint64_t> words_;
};

}  // namespace sluice
