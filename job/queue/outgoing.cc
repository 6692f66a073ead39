// SPDX-License-Identifier: Apache-2.0
#include "job/queue/outgoing.h"

#include <string_view>

namespace sluice {

std::size_t bytes_of(const OutgoingMessage& message) {
  std::size_t bytes = message.body.size();
  for (const auto& [name, value] : message.attributes) {
    bytes += name.size() + std::string_view(kTextType).size() + value.size();
  }
  return bytes;
}

std::vector<std::vector<std::size_t>> batches_of(std::span<const OutgoingMessage> messages,
                                                 std::span<const std::size_t> positions) {
  std::vector<std::vector<std::size_t>> batches;
  std::size_t bytes = 0;
  for (const std::size_t position : positions) {
    const std::size_t more = bytes_of(messages[position]);
    if (batches.empty() || batches.back().size() == kMostEntries || bytes + more > kMostBytesSent) {
      batches.emplace_back();
      bytes = 0;
    }
    batches.back().push_back(position);
    bytes += more;
  }
  return batches;
}

}  // namespace sluice
