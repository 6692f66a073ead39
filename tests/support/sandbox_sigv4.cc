// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sandbox_sigv4.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "job/base/clock.h"
#include "job/base/encoding.h"
#include "job/base/text.h"
#include "tests/support/sandbox_refusal.h"

namespace sluice {
namespace {

constexpr std::int64_t kClockWindowMs = 300'000;
// They may change on the way.
constexpr std::array<std::string_view, 7> kNeverSigned = {
    "expect", "user-agent", "connection", "te", "trailer", "transfer-encoding", "x-amzn-trace-id"};
constexpr std::array<std::string_view, 5> kOnlyOnce = {"host", "x-amz-date", "x-amz-security-token",
                                                       "authorization", "x-amz-target"};

struct Authorization {
  std::string access_key, day, region, service, signature;
  std::vector<std::string_view> signed_names;
};

[[noreturn]] void incomplete(const std::string& why) {
  throw SandboxRefusal("IncompleteSignature", why);
}
[[noreturn]] void mismatch(const std::string& why) {
  throw SandboxRefusal("SignatureDoesNotMatch", why, 403);
}

std::string_view after(std::string_view text, std::string_view prefix) {
  text = trim_ascii(text);
  if (!text.starts_with(prefix)) incomplete("Authorization lacks " + std::string(prefix));
  return text.substr(prefix.size());
}

Authorization parse(std::string_view header) {
  if (header.empty()) {
    throw SandboxRefusal("MissingAuthenticationToken", "no Authorization header", 403);
  }
  const auto parts = split(after(header, "AWS4-HMAC-SHA256 "), ',');
  if (parts.size() != 3) incomplete("Authorization has another form");
  const auto scope = split(after(parts[0], "Credential="), '/');
  if (scope.size() != 5 || scope[4] != "aws4_request")
    incomplete("the credential has another form");
  Authorization found{std::string(scope[0]),
                      std::string(scope[1]),
                      std::string(scope[2]),
                      std::string(scope[3]),
                      std::string(after(parts[2], "Signature=")),
                      split(after(parts[1], "SignedHeaders="), ';')};
  if (found.signature.size() != 64) incomplete("the signature is not 64 characters long");
  return found;
}

void check_signed_names(const SandboxRequest& request, const std::vector<std::string_view>& names) {
  const auto holds = [](const auto& list, std::string_view name) {
    return std::ranges::find(list, name) != list.end();
  };
  const auto sent = [&](std::string_view name) {
    return std::ranges::count(request.headers, name,
                              [](const auto& h) { return std::string_view(h.first); });
  };
  if (std::ranges::adjacent_find(names, std::ranges::greater_equal()) != names.end()) {
    incomplete("SignedHeaders is not sorted or repeats a name");
  }
  for (const std::string_view name : names) {
    if (sent(name) == 0) mismatch(std::string(name) + " is signed but was not sent");
    if (holds(kNeverSigned, name))
      mismatch(std::string(name) + " may change on the way, but is signed");
  }
  for (const auto& [name, value] : request.headers) {
    const bool must = name == "host" || name == "content-type" || name.starts_with("x-amz-");
    if (must && !holds(names, name)) mismatch(name + " was sent but is not signed");
  }
  for (const std::string_view name : kOnlyOnce) {
    if (sent(name) > 1) incomplete(std::string(name) + " was sent twice");
  }
}

std::string sha256_hex(std::string_view data) {
  // Fetching the algorithm and making a context cost more than the digest of a request.
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
      EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::array<unsigned char, 32> out{};
  EVP_DigestInit_ex2(context.get(), algorithm, nullptr);
  EVP_DigestUpdate(context.get(), data.data(), data.size());
  EVP_DigestFinal_ex(context.get(), out.data(), nullptr);
  return to_hex({reinterpret_cast<const char*>(out.data()), out.size()});
}

std::string hmac(std::string_view key, std::string_view data) {
  std::string out(32, '\0');
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(data.data()), data.size(),
       reinterpret_cast<unsigned char*>(out.data()), nullptr);
  return out;
}

/// The key of a day, which four digests make, as this thread last needed it.
const std::string& signing_key(const std::string& secret, const std::string& scope) {
  thread_local std::string made_from;
  thread_local std::string key;
  std::string wanted = secret + "\n" + scope;
  if (wanted != made_from) {
    key = "AWS4" + secret;
    for (const std::string_view part : split(scope, '/')) key = hmac(key, part);
    made_from = std::move(wanted);
  }
  return key;
}

/// Trimmed, inner white space collapsed.
std::string plain_value(std::string_view value) {
  std::string out;
  for (const std::string_view word : split(trim_ascii(value), ' ')) {
    if (word.empty()) continue;
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

std::string sign(const SandboxRequest& request, const Authorization& claim,
                 const std::string& secret, const std::string& stamp) {
  std::string canonical = request.method + "\n/\n\n";  // path and query of every call
  std::string names;
  for (const std::string_view name : claim.signed_names) {
    std::string merged;
    for (const auto& [sent, value] : request.headers) {
      if (sent == name) merged += (merged.empty() ? "" : ",") + plain_value(value);
    }
    canonical += std::string(name) + ":" + merged + "\n";
    names += (names.empty() ? "" : ";") + std::string(name);
  }
  canonical += "\n" + names + "\n" + sha256_hex(request.body);
  const std::string scope = claim.day + "/" + claim.region + "/" + claim.service + "/aws4_request";
  return to_hex(hmac(signing_key(secret, scope),
                     "AWS4-HMAC-SHA256\n" + stamp + "\n" + scope + "\n" + sha256_hex(canonical)));
}

/// "20261120T100700Z" as milliseconds.
std::int64_t parse_stamp(const std::string& stamp, const std::string& day) {
  const auto number = [&](std::size_t at, std::size_t digits) {
    const auto value = parse_integer<int>(std::string_view(stamp).substr(at, digits));
    if (!value || *value < 0) incomplete("X-Amz-Date is malformed");
    return *value;
  };
  if (stamp.size() != 16 || stamp[8] != 'T' || stamp[15] != 'Z')
    incomplete("X-Amz-Date is missing or malformed");
  if (stamp.substr(0, 8) != day) incomplete("X-Amz-Date is of another day than the scope");
  const std::int64_t days = days_from_civil(number(0, 4), static_cast<unsigned>(number(4, 2)),
                                            static_cast<unsigned>(number(6, 2)));
  return ((days * 24 + number(9, 2)) * 60 + number(11, 2)) * 60'000 + number(13, 2) * 1000;
}

}  // namespace

const std::string& SandboxRequest::header(std::string_view name) const {
  static const std::string none;
  const auto found =
      std::ranges::find(headers, name, [](const auto& h) { return std::string_view(h.first); });
  return found == headers.end() ? none : found->second;
}

void verify_signature(const SandboxRequest& request, const KnownCredentials& known,
                      const std::string& region, std::int64_t wall_ms, const std::string& service) {
  const Authorization claim = parse(request.header("authorization"));
  check_signed_names(request, claim.signed_names);
  const auto credentials = known.find(claim.access_key);
  if (credentials == known.end()) {
    throw SandboxRefusal("InvalidClientTokenId",
                         "The security token included in the request is invalid", 403);
  }
  if (credentials->second.expired) {
    throw SandboxRefusal("ExpiredToken", "The security token included in the request is expired",
                         403);
  }
  if (request.header("x-amz-security-token") != credentials->second.token) {
    throw SandboxRefusal("InvalidClientTokenId",
                         "the session token is missing, superfluous or another", 403);
  }
  if (claim.region != region || claim.service != service) {
    mismatch("the credential is scoped to " + claim.region + "/" + claim.service);
  }
  const std::string& stamp = request.header("x-amz-date");
  if (std::abs(parse_stamp(stamp, claim.day) - wall_ms) > kClockWindowMs) {
    throw SandboxRefusal(
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large", 403);
  }
  const std::string expected = sign(request, claim, credentials->second.secret_key, stamp);
  if (CRYPTO_memcmp(expected.data(), claim.signature.data(), expected.size()) != 0) {
    mismatch("The request signature we calculated does not match the signature you provided");
  }
}

}  // namespace sluice
