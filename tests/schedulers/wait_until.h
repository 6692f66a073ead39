// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <stdexcept>
#include <thread>

namespace sluice {

/// Asks until it is so. Throws after some minutes: a test that hangs tells nothing.
inline void wait_until(const std::function<bool()>& condition,
                       std::chrono::milliseconds between = std::chrono::milliseconds(5)) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(150);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error("never true");
    std::this_thread::sleep_for(between);
  }
}

}  // namespace sluice
