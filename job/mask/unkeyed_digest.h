// SPDX-License-Identifier: Apache-2.0
// SHA-256 and MD5 without a key: what earlier systems wrote. Anybody can compute them, of every
// IPv4 address in minutes.
#pragma once

#include <string>
#include <string_view>

#include "job/mask/openssl.h"

namespace sluice {

class UnkeyedDigest {
 public:
  enum class Kind { sha256, md5 };
  /// Failure{configuration} when OpenSSL lacks it.
  explicit UnkeyedDigest(Kind kind);
  /// Of `first` ‖ `second`.
  std::string of(std::string_view first, std::string_view second = {});

 private:
  OpensslPtr<EVP_MD, EVP_MD_free> digest_;
  DigestContext context_;
};

}  // namespace sluice
