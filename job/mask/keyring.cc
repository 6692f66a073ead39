// SPDX-License-Identifier: Apache-2.0
#include "job/mask/keyring.h"

#include <algorithm>
#include <bitset>

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "job/base/clock.h"
#include "job/base/encoding.h"
#include "job/base/failure.h"
#include "job/base/moment.h"
#include "job/mask/openssl.h"
#include "job/record/decode.h"

namespace sluice {
namespace {

using Kind = Body::Kind;
using Position = Body::Position;

constexpr std::size_t kSecret = 32;

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

/// A random secret has about 30 different bytes; fewer than 9 it has once in 10³³ times.
bool repeats_a_few_bytes(std::string_view secret) {
  std::bitset<256> met;
  for (const char c : secret) met.set(static_cast<unsigned char>(c));
  return met.count() <= 8;
}

bool counts(std::string_view secret) {
  const auto step = [](char a, char b) { return static_cast<unsigned char>(b - a); };
  const unsigned first = step(secret[0], secret[1]);
  return std::ranges::adjacent_find(secret, [&](char a, char b) { return step(a, b) != first; }) ==
         secret.end();
}

/// Random bytes are that once in 10¹³ times.
bool is_text(std::string_view secret) {
  return std::ranges::all_of(secret, [](char c) { return c >= ' ' && c <= '~'; });
}

/// Takes a keyring file apart. The decoder is that of messages: strict about repeated keys, and it
/// wipes its memory.
class Reader {
 public:
  Reader(std::string_view json, const std::string& path) : path_(path) {
    if (const auto fault = body_.decode(json)) refuse(fault->detail);
  }

  void refuse(std::string_view problem) const {
    throw Failure(Fault::configuration, "keyring " + path_ + ": " + std::string(problem),
                  "restore the file from a backup, or make a new one with `sluice keygen`");
  }

  /// The object's members, exactly these, each of its kind.
  std::vector<Position> members(Position object,
                                const std::vector<std::pair<std::string, Kind>>& expected) const {
    if (body_.kind(object) != Kind::object) refuse("a key is not an object");
    for (Position key = object + 1; key < body_.end(object); key = body_.end(key + 1)) {
      const bool known = std::any_of(expected.begin(), expected.end(), [&](const auto& member) {
        return member.first == body_.text(key);
      });
      if (!known) refuse("it holds something that no keyring holds");
    }
    std::vector<Position> found;
    for (const auto& [name, kind] : expected) {
      const auto at = body_.member(object, name);
      if (!at || body_.kind(*at) != kind) refuse("'" + name + "' is missing or of another type");
      found.push_back(*at);
    }
    return found;
  }

  Keyring::Key key(Position object) const {
    const auto at = members(
        object, {{"id", Kind::string}, {"created", Kind::string}, {"secret", Kind::string}});
    if (!is_id(body_.text(at[0]))) refuse("an id is not 1 to 64 of A-Z a-z 0-9 _ -");
    if (!parse_timestamp(body_.text(at[1]), Zone::required)) {
      refuse("a 'created' is not a time of RFC 3339");
    }
    auto decoded = from_base64(body_.text(at[2]));
    Secret secret(decoded ? std::move(*decoded) : "");
    if (secret.reveal().size() != kSecret) refuse("a secret is not the base64 of 32 bytes");
    if (repeats_a_few_bytes(secret.reveal())) refuse("a secret repeats a few bytes");
    return {std::string(body_.text(at[0])), std::string(body_.text(at[1])), std::move(secret)};
  }

  const Body& body() const { return body_; }

 private:
  const std::string& path_;
  Body body_;
};

Keyring::Key random_key(std::int64_t wall_ms) {
  std::string secret(kSecret, '\0');
  must(RAND_priv_bytes(octets(secret), kSecret), "no random bytes for a key");
  std::string suffix(4, '\0');
  must(RAND_bytes(octets(suffix), 4), "no random bytes for a key's id");
  const std::string created = rfc3339(wall_ms);
  // Its day in the id: an aes-siv mask shows which key it needs.
  return {"k-" + created.substr(0, 10) + "-" + to_hex(suffix), created, Secret(std::move(secret))};
}

}  // namespace

Keyring Keyring::parse(std::string_view json, const std::string& path) {
  const Reader reader(json, path);
  const Body& body = reader.body();
  const auto at = reader.members(
      Body::kTop, {{"version", Kind::number}, {"current", Kind::string}, {"keys", Kind::array}});
  if (body.text(at[0]) != "1") reader.refuse("its version is not 1");
  Keyring keyring;
  keyring.current_ = body.text(at[1]);
  for (Position key = at[2] + 1; key < body.end(at[2]); key = body.end(key)) {
    Key read = reader.key(key);
    if (keyring.find(read.id) != nullptr) reader.refuse("two keys have the same id");
    if (keyring.has_secret(read.secret)) reader.refuse("two keys have the same secret");
    keyring.keys_.push_back(std::move(read));
  }
  if (keyring.find(keyring.current_) == nullptr) reader.refuse("its current key is not in it");
  return keyring;
}

Keyring Keyring::generate(std::int64_t wall_ms) {
  Keyring keyring;
  keyring.rotate(wall_ms);
  return keyring;
}

void Keyring::rotate(std::int64_t wall_ms) {
  Key key = random_key(wall_ms);
  require(find(key.id) == nullptr, "two random key ids are the same");
  current_ = key.id;
  keys_.push_back(std::move(key));
}

Secret Keyring::to_json() const {
  constexpr std::size_t kMostPerKey = 256;
  std::string json;
  json.reserve(kMostPerKey * (keys_.size() + 1));  // growing would leave copies behind
  json += "{\n  \"version\": 1,\n  \"current\": \"" + current_ + "\",\n  \"keys\": [";
  for (const Key& key : keys_) {
    const Secret encoded(to_base64(key.secret.reveal()));
    json += &key == keys_.data() ? "\n" : ",\n";
    json += "    {\"id\": \"" + key.id + "\", \"created\": \"" + key.created + "\", \"secret\": \"";
    json += encoded.reveal();
    json += "\"}";
  }
  json += "\n  ]\n}\n";
  return Secret(std::move(json));
}

const Keyring::Key& Keyring::current() const {
  const Key* key = find(current_);
  require(key != nullptr, "a keyring without its current key");
  return *key;
}

const Keyring::Key* Keyring::find(std::string_view id) const {
  const auto key =
      std::find_if(keys_.begin(), keys_.end(), [id](const Key& each) { return each.id == id; });
  return key == keys_.end() ? nullptr : &*key;
}

bool Keyring::has_secret(const Secret& secret) const {
  return std::ranges::any_of(
      keys_, [&secret](const Key& key) { return key.secret.reveal() == secret.reveal(); });
}

std::string Keyring::weakness() const {
  const std::string_view secret = current().secret.reveal();
  if (counts(secret)) return "its bytes count up, as anybody would try";
  if (is_text(secret)) return "it is text, not random bytes";
  return "";
}

Secret derive_key(const Keyring::Key& key, std::string_view info, std::size_t length) {
  static const OpensslPtr<EVP_KDF, EVP_KDF_free> kdf(
      available(EVP_KDF_fetch(nullptr, "HKDF", nullptr), "HKDF"));
  const OpensslPtr<EVP_KDF_CTX, EVP_KDF_CTX_free> context(EVP_KDF_CTX_new(kdf.get()));
  require(context != nullptr, "no memory for HKDF");
  // OpenSSL takes these as not const and does not write to them.
  char digest[] = "SHA256";
  const std::string_view secret = key.secret.reveal();
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<char*>(secret.data()),
                                        secret.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, const_cast<char*>(info.data()),
                                        info.size()),
      OSSL_PARAM_construct_end()};
  std::string derived(length, '\0');
  must(EVP_KDF_derive(context.get(), octets(derived), length, parameters), "HKDF gave no key");
  return Secret(std::move(derived));
}

}  // namespace sluice
