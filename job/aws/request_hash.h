// SPDX-License-Identifier: Apache-2.0
// SHA-256 and HMAC-SHA-256 on contexts that are made once: fetching an algorithm costs more than
// using it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/evp.h>

namespace sluice {

class RequestHash {
 public:
  RequestHash();

  /// 32 bytes each.
  std::string sha256(std::string_view data);
  std::string hmac(std::string_view key, std::string_view data);

 private:
  template <typename T>
  using Owned = std::unique_ptr<T, void (*)(T*)>;

  Owned<EVP_MD> sha256_;
  Owned<EVP_MD_CTX> hashing_;
  Owned<EVP_MAC> hmac_;
  Owned<EVP_MAC_CTX> authenticating_;
};

}  // namespace sluice
