// SPDX-License-Identifier: Apache-2.0
#include "job/mask/unkeyed_digest.h"

namespace sluice {
namespace {

EVP_MD* fetched(UnkeyedDigest::Kind kind) {
  const char* name = kind == UnkeyedDigest::Kind::sha256 ? "SHA256" : "MD5";
  return available(EVP_MD_fetch(nullptr, name, nullptr), name);
}

}  // namespace

UnkeyedDigest::UnkeyedDigest(Kind kind) : digest_(fetched(kind)), context_(EVP_MD_CTX_new()) {
  require(context_ != nullptr, "no memory for a digest");
}

std::string UnkeyedDigest::of(std::string_view first, std::string_view second) {
  std::string out(static_cast<std::size_t>(EVP_MD_get_size(digest_.get())), '\0');
  must(EVP_DigestInit_ex2(context_.get(), digest_.get(), nullptr), "a digest did not start");
  must(EVP_DigestUpdate(context_.get(), first.data(), first.size()), "a digest took no value");
  must(EVP_DigestUpdate(context_.get(), second.data(), second.size()), "a digest took no value");
  must(EVP_DigestFinal_ex(context_.get(), octets(out), nullptr), "a digest did not end");
  return out;
}

}  // namespace sluice
