// SPDX-License-Identifier: Apache-2.0
// How many requests a client says it has sent, to compare with what a server has counted.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "job/queue/queue.h"

namespace sluice {

inline std::map<std::string, std::uint64_t> sent(const Requests& requests) {
  std::map<std::string, std::uint64_t> sent;
  for (const auto& [operation, traffic] : requests) sent.emplace(operation, traffic.sent);
  return sent;
}

}  // namespace sluice
