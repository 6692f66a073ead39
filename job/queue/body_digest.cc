// SPDX-License-Identifier: Apache-2.0
#include "job/queue/body_digest.h"

#include <openssl/evp.h>

#include "job/base/encoding.h"
#include "job/base/failure.h"
#include "job/base/text.h"

namespace sluice {

bool matches_md5(std::string_view body, std::string_view digest_hex) {
  static const EVP_MD* const md5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
  if (md5 == nullptr || digest_hex.empty()) return true;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  require(EVP_Digest(body.data(), body.size(), digest, &size, md5, nullptr) == 1,
          "OpenSSL could not hash");
  return to_hex({reinterpret_cast<const char*>(digest), size}) == lower_ascii(digest_hex);
}

}  // namespace sluice
