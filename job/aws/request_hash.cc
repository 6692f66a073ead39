// SPDX-License-Identifier: Apache-2.0
#include "job/aws/request_hash.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "job/base/failure.h"

namespace sluice {
namespace {

constexpr std::size_t kBytes = 32;

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

RequestHash::RequestHash()
    : sha256_(EVP_MD_fetch(nullptr, "SHA256", nullptr), EVP_MD_free),
      hashing_(EVP_MD_CTX_new(), EVP_MD_CTX_free),
      hmac_(EVP_MAC_fetch(nullptr, "HMAC", nullptr), EVP_MAC_free),
      authenticating_(EVP_MAC_CTX_new(hmac_.get()), EVP_MAC_CTX_free) {
  require(sha256_ && hashing_ && hmac_ && authenticating_, "OpenSSL has no HMAC-SHA-256");
  char name[] = "SHA256";
  const OSSL_PARAM settings[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                                 OSSL_PARAM_construct_end()};
  require(EVP_MAC_CTX_set_params(authenticating_.get(), settings) == 1, "OpenSSL refused SHA-256");
}

std::string RequestHash::sha256(std::string_view data) {
  std::string out(kBytes, '\0');
  require(EVP_DigestInit_ex2(hashing_.get(), sha256_.get(), nullptr) == 1 &&
              EVP_DigestUpdate(hashing_.get(), data.data(), data.size()) == 1 &&
              EVP_DigestFinal_ex(hashing_.get(), bytes_of(out), nullptr) == 1,
          "OpenSSL could not hash");
  return out;
}

std::string RequestHash::hmac(std::string_view key, std::string_view data) {
  std::string out(kBytes, '\0');
  std::size_t written = 0;
  require(EVP_MAC_init(authenticating_.get(), bytes_of(key), key.size(), nullptr) == 1 &&
              EVP_MAC_update(authenticating_.get(), bytes_of(data), data.size()) == 1 &&
              EVP_MAC_final(authenticating_.get(), bytes_of(out), &written, out.size()) == 1 &&
              written == kBytes,
          "OpenSSL could not authenticate");
  return out;
}

}  // namespace sluice
