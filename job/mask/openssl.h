// SPDX-License-Identifier: Apache-2.0
// OpenSSL's objects with an owner, its return codes looked at. For the sources of this folder.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "job/base/failure.h"

namespace sluice {

template <auto Free>
struct OpensslFree {
  template <typename Object>
  void operator()(Object* object) const {
    Free(object);
  }
};
template <typename Object, auto Free>
using OpensslPtr = std::unique_ptr<Object, OpensslFree<Free>>;

using MacContext = OpensslPtr<EVP_MAC_CTX, EVP_MAC_CTX_free>;
using CipherContext = OpensslPtr<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using DigestContext = OpensslPtr<EVP_MD_CTX, EVP_MD_CTX_free>;

/// For calls that cannot fail as long as memory and library are sound. Never go on without it: what
/// a failed call leaves in its output is the answer to an earlier one.
inline void must(int result, std::string_view what) { require(result == 1, what); }

inline const unsigned char* octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* octets(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

/// Failure{configuration} unless OpenSSL has the algorithm: a FIPS provider leaves some out.
template <typename Object>
Object* available(Object* fetched, std::string_view algorithm) {
  if (fetched == nullptr) {
    throw Failure(Fault::configuration, "OpenSSL here has no " + std::string(algorithm),
                  "use an OpenSSL with it, or another mask method");
  }
  return fetched;
}

/// Failure{configuration}: the library computes wrong masks.
inline void passed(bool right, std::string_view algorithm) {
  if (!right) {
    throw Failure(Fault::configuration,
                  std::string(OpenSSL_version(OPENSSL_VERSION)) + " computes a wrong " +
                      std::string(algorithm),
                  "use OpenSSL 3.0.10 or later, without settings of its own");
  }
}

}  // namespace sluice
