// SPDX-License-Identifier: Apache-2.0
// A window: where it durably is, what it holds, and with what its messages are deleted.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/staged.h"

namespace sluice {

/// Where a window durably is. The numbers are on disk: never change them.
enum class WindowState { open = 1, sealed = 2, loaded = 3, closed = 4 };

using WindowId = std::array<std::uint8_t, 16>;  // 128 random bits, made when the window is sealed
using Digest = std::array<std::uint8_t, 32>;    // SHA-256

struct Window {
  std::int64_t number = 0;  // counts in this file only; never leaves it
  WindowState state = WindowState::open;
  WindowId id{};    // from `sealed` on
  Digest digest{};  // of the batches in their order, from `sealed` on
  std::uint32_t messages = 0;
  std::uint32_t to_delete = 0;  // of them, once `loaded`: the others stay in the queue
  std::uint64_t bytes = 0;      // staged, without receipts
  std::int64_t oldest_sent_ms = 0;
  std::int64_t opened_ms = 0;  // wall clock
  std::int64_t closed_ms = 0;  // wall clock, once `closed`
  bool set_aside = false;      // too old to load safely; kept for a person to look at
};

/// A window's contents, read back and verified against count and digest. The messages view into
/// `batches`. Moved, never copied: a copy's messages would view into the original.
struct SealedWindow {
  SealedWindow() = default;
  SealedWindow(SealedWindow&&) = default;
  SealedWindow& operator=(SealedWindow&&) = default;

  Window window;
  std::vector<std::string> batches;
  std::vector<StagedMessage> messages;  // in the order staged
};

/// The receipt handle of the message at `position` (from 0, in the order staged) of a window.
struct Receipt {
  std::uint32_t position = 0;
  std::string handle;
};

}  // namespace sluice
