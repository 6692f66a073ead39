// SPDX-License-Identifier: Apache-2.0
// Do the parts of a column's description go together?
#pragma once

#include <optional>
#include <string>

#include "job/config/pipeline.h"

namespace sluice {

/// Postgres: NAMEDATALEN - 1.
inline constexpr std::size_t kLongestIdentifier = 63;

struct Misfit {
  std::string problem;
  std::string hint;
};

/// Source, `as`, mask and type, each against the others; none when they fit.
std::optional<Misfit> misfit_of(const Column& column);

}  // namespace sluice
