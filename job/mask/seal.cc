// SPDX-License-Identifier: Apache-2.0
#include "job/mask/seal.h"

#include <limits>
#include <utility>

#include <openssl/rand.h>

#include "job/mask/openssl.h"

namespace sluice {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kNonce = 12;
constexpr std::size_t kTag = 16;
constexpr std::size_t kHead = 1 + kNonce;

/// Fetched once: looking an algorithm up costs more than sealing a small body with it.
const EVP_CIPHER* algorithm() {
  static const OpensslPtr<EVP_CIPHER, EVP_CIPHER_free> fetched(
      available(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr), "AES-256-GCM"));
  return fetched.get();
}

/// A context with key, nonce and associated data, `encrypt` or to decrypt.
CipherContext started(const Keyring::Key& key, const MessageId& id, std::string_view nonce,
                      bool encrypt) {
  CipherContext context(EVP_CIPHER_CTX_new());
  require(context != nullptr, "no memory for AES-GCM");
  const Secret secret = derive_key(key, "sluice/seal/v1", 32);
  must(EVP_CipherInit_ex2(context.get(), algorithm(), octets(secret.reveal()), octets(nonce),
                          encrypt ? 1 : 0, nullptr),
       "AES-GCM did not start");
  int size = 0;
  must(EVP_CipherUpdate(context.get(), nullptr, &size, id.data(), static_cast<int>(id.size())),
       "AES-GCM took no associated data");
  return context;
}

}  // namespace

Sealed seal(const Keyring& keyring, const MessageId& id, std::string_view body) {
  require(body.size() < std::numeric_limits<int>::max() - kTag, "a body too large to seal");
  const Keyring::Key& key = keyring.current();
  std::string out(kHead + body.size() + kTag, kVersion);
  must(RAND_bytes(octets(out) + 1, kNonce), "no random nonce");
  const CipherContext context = started(key, id, std::string_view(out).substr(1, kNonce), true);
  int size = 0;
  int rest = 0;
  unsigned char* cipher = octets(out) + kHead;
  must(EVP_CipherUpdate(context.get(), cipher, &size, octets(body), static_cast<int>(body.size())),
       "AES-GCM took no body");
  must(EVP_CipherFinal_ex(context.get(), cipher + size, &rest), "AES-GCM did not end");
  require(std::cmp_equal(size + rest, body.size()), "AES-GCM gave another size");
  must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTag, cipher + body.size()),
       "AES-GCM gave no tag");
  return {key.id, std::move(out)};
}

std::optional<std::string> unseal(const Keyring& keyring, std::string_view key_id,
                                  const MessageId& id, std::string_view bytes) {
  const Keyring::Key* key = keyring.find(key_id);
  if (key == nullptr || bytes.size() < kHead + kTag || bytes[0] != kVersion ||
      bytes.size() > std::numeric_limits<int>::max()) {
    return std::nullopt;
  }
  const std::string_view cipher = bytes.substr(kHead, bytes.size() - kHead - kTag);
  std::string tag(bytes.substr(bytes.size() - kTag));
  const CipherContext context = started(*key, id, bytes.substr(1, kNonce), false);
  std::string body(cipher.size(), '\0');
  int size = 0;
  int rest = 0;
  must(EVP_CipherUpdate(context.get(), octets(body), &size, octets(cipher),
                        static_cast<int>(cipher.size())),
       "AES-GCM took no ciphertext");
  must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTag, tag.data()),
       "AES-GCM took no tag");
  if (EVP_CipherFinal_ex(context.get(), octets(body) + size, &rest) != 1) return std::nullopt;
  return body;
}

}  // namespace sluice
