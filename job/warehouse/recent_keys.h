// SPDX-License-Identifier: Apache-2.0
// Which messages may have come before, as far as this process remembers. SQS delivers some twice
// without marking the second.
#pragma once

#include <cstddef>

#include "checkpoint/bloom_filter.h"
#include "checkpoint/staged.h"

namespace sluice {

/// A Bloom filter in two generations of 512 KiB.
class RecentKeys {
 public:
  /// So many of the latest are remembered, and up to as many before them.
  static constexpr std::size_t kGeneration = 1 << 18;

  void add(const MessageKey& key);
  /// Never false for one that is remembered; true for about one of a hundred others, or fewer.
  bool may_hold(const MessageKey& key) const;

 private:
  BloomFilter latest_;
  BloomFilter before_;
  std::size_t added_ = 0;  // to the latest
};

}  // namespace sluice
