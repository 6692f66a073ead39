// SPDX-License-Identifier: Apache-2.0
// Small files, whole or not at all.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice {

/// The content, at most `most` bytes. `what` names the file in a Failure: "pipeline file". Missing,
/// unreadable, a folder or too large is Failure{configuration}.
std::string read_file(const std::string& path, std::size_t most, std::string_view what);

/// Written beside, synced and renamed, so that a reader sees the old file or the new one and never
/// a half. Mode 0600 for `secret`, 0644 for `shared`, else what the umask leaves of 0644.
/// Failure{configuration} when the folder cannot take it.
enum class Mode { open, secret, shared };
void write_file(const std::string& path, std::string_view content, std::string_view what,
                Mode mode = Mode::open);

/// The same, but Failure{configuration} when the file is there already, even when another process
/// makes it now.
void create_file(const std::string& path, std::string_view content, std::string_view what);

/// The folder part of a path ("." when it has none).
std::string folder_of(const std::string& path);

}  // namespace sluice
