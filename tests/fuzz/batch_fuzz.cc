// SPDX-License-Identifier: Apache-2.0
// Staged messages as they lie in a checkpoint.
#include "checkpoint/staged.h"
#include "tests/fuzz/properties.h"
#include "tests/fuzz/targets.h"

namespace sluice::fuzz {

void batch(std::string_view input) {
  std::vector<StagedMessage> messages(1);
  if (!unpack(input, messages)) {
    must_hold(messages.size() == 1, "what is no batch leaves nothing behind");
    return;
  }
  std::string packed;
  for (std::size_t i = 1; i < messages.size(); ++i) pack(messages[i], packed);
  must_hold(packed == input, "what was unpacked packs to the same bytes");
}

}  // namespace sluice::fuzz
