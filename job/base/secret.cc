// SPDX-License-Identifier: Apache-2.0
#include "job/base/secret.h"

#include <string.h>

namespace sluice {

void wipe(std::string& text) noexcept {
  // Not memset, which an optimiser may drop for memory that is about to be freed. The whole
  // capacity: a moved-from short string still holds its bytes in place.
  text.resize(text.capacity());
  explicit_bzero(text.data(), text.size());
  text.clear();
}

}  // namespace sluice
