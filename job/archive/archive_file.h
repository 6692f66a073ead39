// SPDX-License-Identifier: Apache-2.0
// The bytes of an archive, unpacked: plain, gzip or zstd, told apart by their first bytes, from a
// file or from standard input. In fixed memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace sluice {

/// Thrown: a pipe has nothing to read now. Whoever comes again goes on where this ended.
struct NothingYet {};

/// What a read of an empty pipe does.
enum class OnEmptyPipe { wait, throw_nothing_yet };

class ArchiveFile {
 public:
  /// A path, or "-" for standard input. Failure{configuration} when it cannot be opened.
  explicit ArchiveFile(const std::string& path, OnEmptyPipe on_empty_pipe = OnEmptyPipe::wait);
  ~ArchiveFile();
  ArchiveFile(const ArchiveFile&) = delete;
  ArchiveFile& operator=(const ArchiveFile&) = delete;

  const std::string& path() const;
  /// Readable once there is something to read.
  int descriptor() const;
  /// Up to `size` unpacked bytes; 0 at the end. Several gzip members or zstd
  /// frames may stand behind one another. Failure{configuration} when it cannot be read, is damaged
  /// or cut short: what was read before stands.
  std::size_t read(char* to, std::size_t size);
  /// Bytes taken so far, as they lie in the file.
  std::uint64_t bytes_read() const;
  /// Of the file; none for what has no size, such as a pipe.
  std::optional<std::uint64_t> size() const;
  /// What tells this file from another one, and from itself when it was written to since: device,
  /// inode, size and time of the last change. Empty for what cannot be read twice.
  std::string identity() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice
