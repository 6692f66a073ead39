// SPDX-License-Identifier: Apache-2.0
#include "job/aws/sigv4.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "job/aws/percent.h"
#include "job/base/clock.h"
#include "job/base/encoding.h"
#include "job/base/failure.h"
#include "job/base/text.h"

namespace sluice {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

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

/// By lower-case name; values of a repeated header in the order sent.
std::map<std::string, std::string> canonical_headers(const std::vector<Header>& headers) {
  std::map<std::string, std::string> out;
  for (const Header& header : headers) {
    std::string name = lower_ascii(header.name);
    if (std::find(kNeverSigned.begin(), kNeverSigned.end(), name) != kNeverSigned.end()) continue;
    std::string value = canonical_value(header.value);
    const auto [at, fresh] = out.try_emplace(std::move(name), value);
    if (!fresh) at->second += "," + value;
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

void Signer::sign(HttpRequest& request, std::int64_t wall_ms) {
  const std::string stamp = stamp_of(wall_ms);
  const std::string day = stamp.substr(0, 8);
  request.headers.push_back({"X-Amz-Date", stamp});
  if (!credentials_.session_token.empty()) {
    request.headers.push_back(
        {"X-Amz-Security-Token", std::string(credentials_.session_token.reveal())});
  }

  std::string headers;
  std::string names;
  for (const auto& [name, value] : canonical_headers(request.headers)) {
    headers.append(name).append(":").append(value).append("\n");
    names.append(names.empty() ? "" : ";").append(name);
  }
  const std::string canonical = request.method + "\n" + canonical_path(request.path) + "\n" +
                                canonical_query(request.query) + "\n" + headers + "\n" + names +
                                "\n" + to_hex(hash_.sha256(request.body));

  const std::string scope = day + "/" + region_ + "/" + service_ + "/aws4_request";
  const std::string to_sign = std::string(kAlgorithm) + "\n" + stamp + "\n" + scope + "\n" +
                              to_hex(hash_.sha256(canonical));
  request.headers.push_back(
      {"Authorization", std::string(kAlgorithm) + " Credential=" + credentials_.access_key + "/" +
                            scope + ", SignedHeaders=" + names +
                            ", Signature=" + to_hex(hash_.hmac(key_of(day), to_sign))});
}

}  // namespace sluice
