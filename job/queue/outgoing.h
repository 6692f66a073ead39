// SPDX-License-Identifier: Apache-2.0
// Messages to be sent, and how they share calls.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sluice {

/// Clear text: it lives in memory only.
struct OutgoingMessage {
  std::string body;
  std::vector<std::pair<std::string, std::string>> attributes = {};  // at most ten texts, not empty
  std::string group = {};                                            // FIFO only, like the next
  std::string deduplication = {};
};

/// What SQS allows for one message, and for one call.
inline constexpr std::size_t kMostBytesSent = 1 << 20;
inline constexpr std::size_t kMostEntries = 10;
inline constexpr const char* kTextType = "String";

/// As SQS counts: the body, and names, types and values of the attributes.
std::size_t bytes_of(const OutgoingMessage& message);

/// Positions of `messages`, in order, cut into calls that SQS takes. A message that is too large
/// alone has a call to itself.
std::vector<std::vector<std::size_t>> batches_of(std::span<const OutgoingMessage> messages,
                                                 std::span<const std::size_t> positions);

}  // namespace sluice
