// SPDX-License-Identifier: Apache-2.0
// A file that holds one token, which others replace from time to time.
#pragma once

#include <string>
#include <string_view>

#include "job/base/secret.h"

namespace sluice {

/// As it is now; `what` names it: "web identity token". Failure{rights} when it cannot be read or
/// is empty.
Secret read_token(const std::string& path, std::string_view what);

}  // namespace sluice
