// SPDX-License-Identifier: Apache-2.0
#include "job/base/build.h"

namespace sluice {

std::string_view build_commit() { return "unknown"; }

}  // namespace sluice
