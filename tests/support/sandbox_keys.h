// SPDX-License-Identifier: Apache-2.0
// Keys for a while, as STS and metadata services hand them out: each pair is a new one.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include "job/base/clock.h"
#include "tests/support/sandbox_sigv4.h"

namespace sluice {

/// From any thread.
class SandboxKeys {
 public:
  using Hook = std::function<void(const SandboxCredentials&)>;

  struct Pair {
    SandboxCredentials credentials;
    std::string expiration;  // RFC 3339
  };

  explicit SandboxKeys(std::string prefix) : prefix_(std::move(prefix)) {}

  Pair hand_out() {
    const std::lock_guard lock(mutex_);
    if (!same_) ++number_;
    const std::string key = prefix_ + std::to_string(number_);
    // Characters that percent encoding and XML have to protect.
    const SandboxCredentials made{key, "secret/+&<of>" + key, "token/+=&<of>" + key};
    if (hook_) hook_(made);
    return {made, rfc3339(now().wall_ms + life_ms_)};
  }
  int handed_out() const {
    const std::lock_guard lock(mutex_);
    return number_;
  }

  /// Negative: they have expired when they are handed out.
  void set_life(std::int64_t ms) {
    const std::lock_guard lock(mutex_);
    life_ms_ = ms;
  }
  /// From now on the last pair again and again.
  void repeat_the_last() {
    const std::lock_guard lock(mutex_);
    same_ = true;
  }
  /// Called with each pair before it is handed out: so that a queue knows it.
  void set_hook(Hook hook) {
    const std::lock_guard lock(mutex_);
    hook_ = std::move(hook);
  }

 private:
  mutable std::mutex mutex_;
  std::string prefix_;
  int number_ = 0;
  bool same_ = false;
  std::int64_t life_ms_ = 3'600'000;
  Hook hook_;
};

}  // namespace sluice
