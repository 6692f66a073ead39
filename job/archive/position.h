// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>

namespace sluice {

/// A place in a list of archive files: the record that stands there is the next one.
struct ArchivePosition {
  std::uint64_t file = 0;    // from 0, in the order given
  std::uint64_t record = 0;  // from 0, in the file
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 misreads a defaulted comparison.
  auto operator<=>(const ArchivePosition&) const = default;
};

}  // namespace sluice
