// SPDX-License-Identifier: Apache-2.0
#include "job/mask/hmac.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

namespace sluice {
namespace {

constexpr std::size_t kSize = 32;

MacContext keyed(const Secret& key) {
  const OpensslPtr<EVP_MAC, EVP_MAC_free> mac(
      available(EVP_MAC_fetch(nullptr, "HMAC", nullptr), "HMAC"));
  MacContext context(EVP_MAC_CTX_new(mac.get()));
  require(context != nullptr, "no memory for HMAC");
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  const std::string_view bytes = key.reveal();
  must(EVP_MAC_init(context.get(), octets(bytes), bytes.size(), parameters),
       "HMAC refused its key");
  return context;
}

void finish(EVP_MAC_CTX* context, std::string_view value, std::string& out) {
  out.resize(kSize);
  std::size_t size = 0;
  must(EVP_MAC_update(context, octets(value), value.size()), "HMAC took no value");
  must(EVP_MAC_final(context, octets(out), &size, out.size()), "HMAC gave no answer");
  require(size == kSize, "HMAC gave an answer of another size");
}

}  // namespace

HmacSha256::HmacSha256(const Secret& key) : context_(keyed(key)) {
  // OpenSSL lost the key here until 3.0.3 (openssl #17811). The library that is loaded may be older
  // than the one that was built against.
  std::string fresh;
  finish(keyed(key).get(), "self-test", fresh);
  passed(of("another value") != fresh && of("self-test") == fresh, "HMAC");
}

std::string_view HmacSha256::of(std::string_view value) {
  // Without a key: the one that is set is used again, at a third of the cost of setting it.
  must(EVP_MAC_init(context_.get(), nullptr, 0, nullptr), "HMAC could not start again");
  finish(context_.get(), value, code_);
  return code_;
}

}  // namespace sluice
