// SPDX-License-Identifier: Apache-2.0
// How often each of very many digests has come before, in fixed memory: what does not fit lies in a
// temporary SQLite file, which has no name and is gone with the process.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

namespace sluice {

/// Takes up to about 24 MiB. Digests are spread evenly over all 128 bits, and keyed: they lie on a
/// disk.
class Occurrences {
 public:
  using Digest128 = std::array<std::uint8_t, 16>;

  /// The temporary file lies in `folder`. It is made when it is needed, after 196,608 digests.
  explicit Occurrences(const std::string& folder);
  ~Occurrences();
  Occurrences(const Occurrences&) = delete;
  Occurrences& operator=(const Occurrences&) = delete;

  /// How often `digest` was counted before; counts it. CheckpointError{disk_full, unwritable}: then
  /// only `clear` may be called.
  std::uint64_t count(const Digest128& digest);
  /// Forgets all.
  void clear();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice
