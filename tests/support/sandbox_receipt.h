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

/// Of one queue.
class SandboxReceipts {
 public:
  explicit SandboxReceipts(std::uint64_t secret);

  std::string handle_of(SandboxReceipt receipt) const;
  /// Nothing when this queue never made such a handle.
  std::optional<SandboxReceipt> read(std::string_view handle) const;

 private:
  std::string_view padding_of(SandboxReceipt receipt) const;

  std::uint64_t secret_;
  std::string pool_;  // of which each handle ends with a piece
};

}  // namespace sluice
