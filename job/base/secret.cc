// SPDX-License-Identifier: Apache-2.0
#include "job/base/secret.h"

#include <string.h>

namespace sluice {

void Secret::wipe() noexcept {
  // Not memset, which an optimiser may drop for memory that is about to be freed. The whole
  // capacity: a moved-from short string still holds its bytes in place.
  value_.resize(value_.capacity());
  explicit_bzero(value_.data(), value_.size());
  value_.clear();
}

}  // namespace sluice
