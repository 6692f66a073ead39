// SPDX-License-Identifier: Apache-2.0
#include "job/queue/body_digest.h"

#include <array>
#include <memory>

#include <openssl/evp.h>

#include "job/base/encoding.h"
#include "job/base/failure.h"
#include "job/base/text.h"

namespace sluice {

bool matches_md5(std::string_view body, std::string_view digest_hex) {
  static const EVP_MD* const md5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
  if (md5 == nullptr || digest_hex.empty()) return true;
  // Kept, because making one costs as much as hashing a small body.
  thread_local const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                                EVP_MD_CTX_free);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;  // NOLINT(*-pro-type-member-init)
  unsigned int size = 0;
  require(EVP_DigestInit_ex2(context.get(), md5, nullptr) == 1 &&
              EVP_DigestUpdate(context.get(), body.data(), body.size()) == 1 &&
              EVP_DigestFinal_ex(context.get(), digest.data(), &size) == 1,
          "OpenSSL could not hash");
  const std::string hex = to_hex({reinterpret_cast<const char*>(digest.data()), size});
  return hex == digest_hex || hex == lower_ascii(digest_hex);
}

}  // namespace sluice
