// SPDX-License-Identifier: Apache-2.0
// Made-up messages of the login shape, each from a seed and its number alone, a few of them bad on
// purpose. What may be found nowhere is marked (canary.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

struct LoginMessage {
  std::string body;
  /// Empty for a good message; else the reason with which the login pipeline must reject it.
  std::string_view flaw;
  std::string ip;         // as sent; empty when the message has none
  std::string device_id;  // the same
};

/// About one in a hundred is bad.
LoginMessage login_message(std::uint64_t seed, std::uint64_t number);

}  // namespace sluice
