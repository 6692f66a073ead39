// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/recent_keys.h"

#include <utility>

namespace sluice {
namespace {

constexpr std::size_t kWords = 1 << 16;

}  // namespace

void RecentKeys::add(const MessageKey& key) {
  if (!latest_.has_room() || added_ == kGeneration) {
    before_ = std::exchange(latest_, BloomFilter(kWords));
    added_ = 0;
  }
  latest_.add(key.id);
  ++added_;
}

bool RecentKeys::may_hold(const MessageKey& key) const {
  return latest_.may_hold(key.id) || before_.may_hold(key.id);
}

}  // namespace sluice
