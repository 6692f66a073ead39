// SPDX-License-Identifier: Apache-2.0
// One history: messages, workers and faults, all from one seed; then calm, until everything is
// where it must be.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulation/faults.h"

namespace sluice::simulation {

struct Ending {
  std::string broken;       // which promise, and how; empty when all were kept
  std::uint64_t trace = 0;  // equal for equal histories
  int messages = 0;
  int workers = 0;
  int runs = 0;
  std::vector<Fault> faults;
};

/// Plays it in a folder of its own.
Ending play(const Plan& plan);

/// A smaller plan that breaks the same promise, found by leaving out what can be left out. Plays at
/// most some hundreds of histories.
Plan shrink(const Plan& plan);

/// What a person wants to see of a history that broke a promise.
std::string report(const Plan& plan, const Ending& ending);

}  // namespace sluice::simulation
