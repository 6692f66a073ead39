// SPDX-License-Identifier: Apache-2.0
// What a process says. Whoever reads it may be gone, or may have stopped reading with the pipe
// full: neither may hold up a run, nor keep it from ending when it is told to.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace sluice {

inline constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

/// Writes all of `text`, which nobody else may do meanwhile. False, with the rest unsaid, when its
/// reader is gone or takes nothing for `patience_ms`.
bool write_out(int descriptor, std::string_view text, std::int64_t patience_ms);

/// From any thread: this process is to end. No `write_out`, not even one under way, waits for
/// longer than a moment any more.
void lose_patience();
/// When that was first said, on the steady clock.
std::optional<std::int64_t> patience_lost_ms();

}  // namespace sluice
