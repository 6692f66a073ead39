// SPDX-License-Identifier: Apache-2.0
// One line of what `check` found, and of what `run` refuses before its first receive.
#pragma once

#include <string>

#include "job/base/failure.h"

namespace sluice {

struct Finding {
  bool ok = true;
  Fault fault = Fault::configuration;  // when not ok
  std::string thing{};                 // what was looked at: "table public.user_logins"
  std::string text{};                  // what was found, in the grammar of Failure::message
  std::string hint{};                  // empty when ok
};

/// As it is thrown: "table public.user_logins: missing".
inline Failure to_failure(const Finding& finding) {
  return {finding.fault, finding.thing + ": " + finding.text, finding.hint};
}

}  // namespace sluice
