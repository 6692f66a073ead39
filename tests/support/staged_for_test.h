// SPDX-License-Identifier: Apache-2.0
// Batches for tests of what comes after the masker. A friend, because only the masker may fill a
// batch; here, because what holds a clear value must not be able to include it.
#pragma once

#include "checkpoint/staged.h"

namespace sluice {

class StagedBatchForTest {
 public:
  static void add(StagedBatch& batch, const StagedMessage& message) { batch.add(message); }
};

}  // namespace sluice
