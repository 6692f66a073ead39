// SPDX-License-Identifier: Apache-2.0
// AES-256-SIV (RFC 5297): the same value gives the same ciphertext, and the key's holder can open
// it.
#pragma once

#include <string>
#include <string_view>

#include "job/base/secret.h"
#include "job/mask/openssl.h"

namespace sluice {

class AesSiv {
 public:
  /// `key`: 64 bytes. `domain`, not empty, is the associated data. Failure{configuration} when
  /// OpenSSL lacks or miscomputes the cipher.
  AesSiv(const Secret& key, std::string_view domain);
  /// Tag ‖ ciphertext. Not of an empty value, which OpenSSL cannot do.
  std::string of(std::string_view value);

 private:
  CipherContext keyed_;
  CipherContext working_;
};

}  // namespace sluice
