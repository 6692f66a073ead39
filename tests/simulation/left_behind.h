// SPDX-License-Identifier: Apache-2.0
// What a run left in its checkpoint for the next, read past the product's own reading.
#pragma once

#include <set>
#include <string>

#include "checkpoint/staged.h"

namespace sluice::simulation {

/// The messages of windows that are not closed and not set aside. Empty when there is no file, or
/// none that can be read.
std::set<MessageKey> keys_in(const std::string& file);

}  // namespace sluice::simulation
