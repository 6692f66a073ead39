// SPDX-License-Identifier: Apache-2.0
#include "job/mask/siv.h"

#include <limits>
#include <utility>

#include "job/base/encoding.h"

namespace sluice {
namespace {

constexpr std::size_t kKey = 64;
constexpr std::size_t kTag = 16;

CipherContext keyed(std::string_view key, std::string_view domain) {
  require(key.size() == kKey, "an AES-256-SIV key is not 64 bytes");
  // Before 3.0.10 OpenSSL left empty associated data out of the tag (CVE-2023-2975).
  require(!domain.empty(), "a mask's domain is empty");
  const OpensslPtr<EVP_CIPHER, EVP_CIPHER_free> cipher(
      available(EVP_CIPHER_fetch(nullptr, "AES-256-SIV", nullptr), "AES-256-SIV"));
  CipherContext context(EVP_CIPHER_CTX_new());
  require(context != nullptr, "no memory for AES-SIV");
  must(EVP_EncryptInit_ex2(context.get(), cipher.get(), octets(key), nullptr, nullptr),
       "AES-SIV refused its key");
  int size = 0;
  must(EVP_EncryptUpdate(context.get(), nullptr, &size, octets(domain),
                         static_cast<int>(domain.size())),
       "AES-SIV took no associated data");
  return context;
}

std::string seal(EVP_CIPHER_CTX* working, const EVP_CIPHER_CTX* keyed, std::string_view value) {
  require(!value.empty() && value.size() <= std::numeric_limits<int>::max(),
          "a value that AES-SIV cannot take");
  // A context seals once: a second value in it fails, or gives the first one's tag. Copying a keyed
  // one costs a third of keying.
  must(EVP_CIPHER_CTX_copy(working, keyed), "AES-SIV could not start again");
  std::string out(kTag + value.size(), '\0');
  int size = 0;
  int rest = 0;
  must(EVP_EncryptUpdate(working, octets(out) + kTag, &size, octets(value),
                         static_cast<int>(value.size())),
       "AES-SIV took no value");
  must(EVP_EncryptFinal_ex(working, octets(out) + kTag + size, &rest), "AES-SIV did not end");
  require(std::cmp_equal(size + rest, value.size()), "AES-SIV gave another size");
  must(EVP_CIPHER_CTX_ctrl(working, EVP_CTRL_AEAD_GET_TAG, kTag, out.data()),
       "AES-SIV gave no tag");
  return out;
}

/// Answers of another implementation (pyca/cryptography): key 00…3f, associated data "sluice".
void self_test(EVP_CIPHER_CTX* working) {
  std::string key;
  for (std::size_t i = 0; i < kKey; ++i) key.push_back(static_cast<char>(i));
  const CipherContext known = keyed(key, "sluice");
  const bool right =
      to_hex(seal(working, known.get(), "hello")) == "236484bd5ce1f5bbda78e0c225512cc4758e798ad1" &&
      to_hex(seal(working, known.get(), "x")) == "01818b503c3e407edda658249a555719e5";
  passed(right, "AES-256-SIV");
}

}  // namespace

AesSiv::AesSiv(const Secret& key, std::string_view domain)
    : keyed_(keyed(key.reveal(), domain)), working_(EVP_CIPHER_CTX_new()) {
  require(working_ != nullptr, "no memory for AES-SIV");
  self_test(working_.get());
}

std::string AesSiv::of(std::string_view value) { return seal(working_.get(), keyed_.get(), value); }

}  // namespace sluice
