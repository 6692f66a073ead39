// SPDX-License-Identifier: Apache-2.0
// The environment, as an argument: whoever depends on it says so, and a test needs no setenv.
#pragma once

#include <functional>
#include <string>

namespace sluice {

/// The value of a variable; empty when it is unset, because AWS's tools read both alike.
using Environment = std::function<std::string(const char* name)>;

Environment process_environment();

}  // namespace sluice
