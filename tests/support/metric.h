// SPDX-License-Identifier: Apache-2.0
// One number of a metrics file.
#pragma once

#include <string>

namespace sluice {

/// The value of that series of pipeline user_logins and worker one; `labels` follow those two:
/// `,result="loaded"`.
inline std::string metric(const std::string& metrics, const std::string& name,
                          const std::string& labels = "") {
  const std::string series =
      "\n" + name + "{pipeline=\"user_logins\",worker=\"one\"" + labels + "} ";
  const std::size_t at = metrics.find(series);
  if (at == std::string::npos) return "no" + series;
  const std::size_t from = at + series.size();
  return metrics.substr(from, metrics.find('\n', from) - from);
}

}  // namespace sluice
