// SPDX-License-Identifier: Apache-2.0
// HMAC-SHA-256 under one key, many times.
#pragma once

#include <string>
#include <string_view>

#include "job/base/secret.h"
#include "job/mask/openssl.h"

namespace sluice {

class HmacSha256 {
 public:
  /// Failure{configuration} when a context that is used again does not answer as a fresh one.
  explicit HmacSha256(const Secret& key);
  /// 32 bytes, good until the next.
  std::string_view of(std::string_view value);

 private:
  MacContext context_;
  std::string code_;
};

}  // namespace sluice
