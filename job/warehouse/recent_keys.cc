// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/recent_keys.h"

#include <array>
#include <bit>
#include <utility>

namespace sluice {
namespace {

constexpr std::size_t kWords = 1 << 16;

struct Place {
  std::size_t word;
  std::uint64_t bits;
};

/// SQS's ids are random, those of an archive need not be: they are mixed, by MurmurHash3's
/// finalizer.
Place place_of(const MessageKey& key) {
  const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(key.id);
  std::uint64_t mixed = halves[0] ^ std::rotl(halves[1], 29);
  mixed = (mixed ^ mixed >> 33) * 0xff51afd7ed558ccd;
  mixed = (mixed ^ mixed >> 33) * 0xc4ceb9fe1a85ec53;
  mixed ^= mixed >> 33;
  Place place{.word = mixed % kWords, .bits = 0};
  for (const int shift : {16, 22, 28, 34}) place.bits |= std::uint64_t{1} << (mixed >> shift & 63);
  return place;
}

}  // namespace

void RecentKeys::add(const MessageKey& key) {
  if (latest_.empty() || added_ == kGeneration) {
    before_ = std::exchange(latest_, std::vector<std::uint64_t>(kWords));
    added_ = 0;
  }
  const Place place = place_of(key);
  latest_[place.word] |= place.bits;
  ++added_;
}

bool RecentKeys::may_hold(const MessageKey& key) const {
  const Place place = place_of(key);
  const auto holds = [&](const std::vector<std::uint64_t>& words) {
    return !words.empty() && (words[place.word] & place.bits) == place.bits;
  };
  return holds(latest_) || holds(before_);
}

}  // namespace sluice
