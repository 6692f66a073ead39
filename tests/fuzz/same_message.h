// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "job/queue/queue.h"

namespace sluice::fuzz {

/// In all that is written of it, which its lone surrogates are not.
inline bool same(const Message& left, const Message& right) {
  const auto equal = [](const MessageAttribute& one, const MessageAttribute& other) {
    return one.name == other.name && one.type == other.type && one.value == other.value;
  };
  return left.id == right.id && left.receipt == right.receipt && left.body == right.body &&
         left.sent_ms == right.sent_ms && left.receive_count == right.receive_count &&
         left.sequence == right.sequence && left.group == right.group &&
         std::equal(left.attributes.begin(), left.attributes.end(), right.attributes.begin(),
                    right.attributes.end(), equal);
}

}  // namespace sluice::fuzz
