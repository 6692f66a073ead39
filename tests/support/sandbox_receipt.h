// SPDX-License-Identifier: Apache-2.0
// Receipt handles as long and as opaque as those of AWS, which nobody has to store: a handle names
// the message and the delivery, and the rest of it follows from both and the secret of its queue.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

struct SandboxReceipt {
  std::uint64_t number = 0;    // of the message in its queue
  std::uint32_t delivery = 0;  // 1 for the first
};

std::string to_handle(std::uint64_t queue_secret, SandboxReceipt receipt);
/// Nothing when this queue never made such a handle.
std::optional<SandboxReceipt> from_handle(std::uint64_t queue_secret, std::string_view handle);

}  // namespace sluice
