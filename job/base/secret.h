// SPDX-License-Identifier: Apache-2.0
// Text or bytes that must not be printed, logged or copied by accident, and are wiped when no
// longer needed.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace sluice {

/// Overwrites all that the text ever held in its present memory, and empties it.
void wipe(std::string& text) noexcept;

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { wipe(other.value_); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe(value_);
      value_ = std::move(other.value_);
      wipe(other.value_);
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(value_); }

  /// The only way out. Never into a log, a Failure or a summary.
  std::string_view reveal() const { return value_; }
  /// A copy is asked for by name.
  Secret duplicate() const { return Secret(value_); }
  bool empty() const { return value_.empty(); }

 private:
  std::string value_;
};

}  // namespace sluice
