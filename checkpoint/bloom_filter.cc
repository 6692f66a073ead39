// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/bloom_filter.h"

#include <bit>

namespace sluice {

/// SQS's ids are random, those of an archive need not be: they are mixed, by MurmurHash3's
/// finalizer.
BloomFilter::Place BloomFilter::place_of(const Key& key) const {
  const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(key);
  std::uint64_t mixed = halves[0] ^ std::rotl(halves[1], 29);
  mixed = (mixed ^ mixed >> 33) * 0xff51afd7ed558ccd;
  mixed = (mixed ^ mixed >> 33) * 0xc4ceb9fe1a85ec53;
  mixed ^= mixed >> 33;
  Place place{.word = (mixed >> 24) % words_.size(), .bits = 0};
  for (const int shift : {0, 6, 12, 18}) place.bits |= std::uint64_t{1} << (mixed >> shift & 63);
  return place;
}

void BloomFilter::add(const Key& key) {
  const Place place = place_of(key);
  words_[place.word] |= place.bits;
}

bool BloomFilter::may_hold(const Key& key) const {
  if (words_.empty()) return false;
  const Place place = place_of(key);
  return (words_[place.word] & place.bits) == place.bits;
}

}  // namespace sluice
