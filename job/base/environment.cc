// SPDX-License-Identifier: Apache-2.0
#include "job/base/environment.h"

#include <cstdlib>

namespace sluice {

Environment process_environment() {
  return [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
}

}  // namespace sluice
