// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <new>
#include <system_error>

#include "checkpoint/checkpoint.h"
#include "checkpoint/file_lock.h"
#include "checkpoint/format.h"
#include "checkpoint/window_rows.h"

namespace sluice {
namespace {

/// Empty when the file is not one that this version can read: the next run says why.
std::vector<Window> windows_of(const std::string& path) {
  sqlite::Connection db(path, 0);
  if (!is_of_this_format(db)) return {};
  std::vector<Window> windows = window_rows::all(db);
  std::erase_if(windows, [](const Window& window) {
    return window.state == WindowState::closed || window.messages == 0;
  });
  return windows;
}

}  // namespace

CheckpointGlance glance_at(const std::string& path) {
  CheckpointGlance glance;
  std::error_code unknown;
  glance.exists = std::filesystem::is_regular_file(path, unknown);
  if (!glance.exists) return glance;
  try {
    glance.windows = windows_of(path);
  } catch (const CheckpointError& error) {
    glance.locked = error.kind() == CheckpointError::Kind::locked;
  } catch (const std::bad_alloc&) {
    // A damaged length: the next run sets the file aside.
  }
  if (glance.locked) glance.holder = lock_holder(path).value_or("another process");
  return glance;
}

}  // namespace sluice
