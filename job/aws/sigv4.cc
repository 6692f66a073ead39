// SPDX-License-Identifier: Apache-2.0
#include "job/aws/sigv4.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "job/base/clock.h"
#include "job/base/encoding.h"
#include "job/base/failure.h"
#include "job/base/text.h"
#include "job/http/percent.h"

namespace sluice {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

/// Of each text on the way to a signature, but for a session token: none grows while it is made.
constexpr std::size_t kUsualBytes = 512;

constexpr std::array<std::string_view, 8> kNeverSigned = {
    "authorization", "connection",        "expect",     "te",
    "trailer",       "transfer-encoding", "user-agent", "x-amzn-trace-id"};

/// "20150830T123600Z"
std::string stamp_of(std::int64_t wall_ms) {
  std::string stamp;
  for (const char c : rfc3339(wall_ms).substr(0, 19)) {
    if (c != '-' && c != ':') stamp += c;
  }
  return stamp + "Z";
}

/// Dot segments and empty segments removed, then encoded once more than it is sent.
std::string canonical_path(std::string_view path) {
  if (path == "/") return "/";
  std::vector<std::string_view> kept;
  std::string_view last;
  for (const std::string_view segment : split(path, '/')) {
    last = segment;
    if (segment.empty() || segment == ".") continue;
    if (segment != "..") {
      kept.push_back(segment);
    } else if (!kept.empty()) {
      kept.pop_back();
    }
  }
  std::string out;
  for (const std::string_view segment : kept) out += "/" + percent_encoded(segment);
  if (kept.empty() || last.empty()) out += '/';
  return out;
}

std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string_view part : split(query, '&')) {
    if (part.empty()) continue;
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::string_view value = part.substr(std::min(equals + 1, part.size()));
    pairs.emplace_back(percent_encoded(percent_decoded(part.substr(0, equals))),
                       percent_encoded(percent_decoded(value)));
  }
  std::sort(pairs.begin(), pairs.end());
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (!out.empty()) out += '&';
    out.append(name).append("=").append(value);
  }
  return out;
}

std::string canonical_value(std::string_view value) {
  std::string out;
  for (const char c : trim_ascii(value)) {
    if (c != ' ' || out.back() != ' ') out += c;
  }
  return out;
}

/// Sorted by lower-case name; values of a repeated header in the order sent.
std::vector<Header> canonical_headers(const std::vector<Header>& headers) {
  std::vector<Header> out;
  out.reserve(headers.size());
  for (const Header& header : headers) {
    std::string name = lower_ascii(header.name);
    if (std::find(kNeverSigned.begin(), kNeverSigned.end(), name) != kNeverSigned.end()) continue;
    std::string value = canonical_value(header.value);
    const auto at = std::ranges::lower_bound(out, name, {}, &Header::name);
    if (at != out.end() && at->name == name) {
      at->value += "," + value;
    } else {
      out.insert(at, {std::move(name), std::move(value)});
    }
  }
  return out;
}

}  // namespace

Signer::Signer(Credentials credentials, std::string region, std::string service)
    : credentials_(std::move(credentials)),
      region_(std::move(region)),
      service_(std::move(service)) {}

std::string_view Signer::key_of(std::string_view day) {
  if (day_ != day) {
    Secret key("AWS4" + std::string(credentials_.secret.reveal()));
    for (const std::string_view part : {day, std::string_view(region_), std::string_view(service_),
                                        std::string_view("aws4_request")}) {
      key = Secret(hash_.hmac(key.reveal(), part));
    }
    day_key_ = std::move(key);
    day_ = day;
  }
  return day_key_.reveal();
}

void Signer::take_second(std::int64_t second) {
  if (stamp_.empty() || second_ != second) {
    second_ = second;
    stamp_ = stamp_of(second * 1000);
    scope_ = stamp_.substr(0, 8) + "/" + region_ + "/" + service_ + "/aws4_request";
  }
}

void Signer::sign(HttpRequest& request, std::int64_t wall_ms) {
  take_second(wall_ms / 1000);
  request.headers.push_back({"X-Amz-Date", stamp_});
  if (!credentials_.session_token.empty()) {
    request.headers.push_back(
        {"X-Amz-Security-Token", std::string(credentials_.session_token.reveal())});
  }

  std::string names;
  std::string canonical;
  canonical.reserve(kUsualBytes + credentials_.session_token.reveal().size());
  canonical.append(request.method).append("\n");
  canonical.append(canonical_path(request.path)).append("\n");
  canonical.append(canonical_query(request.query)).append("\n");
  for (const auto& [name, value] : canonical_headers(request.headers)) {
    canonical.append(name).append(":").append(value).append("\n");
    names.append(names.empty() ? "" : ";").append(name);
  }
  canonical.append("\n").append(names).append("\n");
  append_hex(canonical, hash_.sha256(request.body));

  std::string to_sign;
  to_sign.reserve(kUsualBytes);
  to_sign.append(kAlgorithm).append("\n").append(stamp_).append("\n").append(scope_).append("\n");
  append_hex(to_sign, hash_.sha256(canonical));

  std::string authorization;
  authorization.reserve(kUsualBytes);
  authorization.append(kAlgorithm)
      .append(" Credential=")
      .append(credentials_.access_key)
      .append("/")
      .append(scope_);
  authorization.append(", SignedHeaders=").append(names);
  authorization.append(", Signature=");
  append_hex(authorization, hash_.hmac(key_of(std::string_view(stamp_).substr(0, 8)), to_sign));
  request.headers.push_back({"Authorization", std::move(authorization)});
}

}  // namespace sluice
