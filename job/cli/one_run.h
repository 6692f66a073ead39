// SPDX-License-Identifier: Apache-2.0
// One run of the heart, from the first check to the last line, whatever it takes messages from.
#pragma once

#include "job/cli/intake.h"

namespace sluice {

/// Returns the exit status; Failure{usage} when there was no run. `intake` must outlive the
/// process' signals: a second one asks it for its calls.
int run_to_the_last_line(const Settings& settings, const Environment& environment, Intake& intake);

}  // namespace sluice
