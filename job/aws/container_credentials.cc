// SPDX-License-Identifier: Apache-2.0
#include "job/aws/container_credentials.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "job/aws/credential_json.h"
#include "job/aws/quotable.h"
#include "job/aws/retry.h"
#include "job/aws/token_file.h"
#include "job/base/failure.h"
#include "job/base/text.h"
#include "job/http/fetch.h"
#include "job/http/http.h"

namespace sluice {
namespace {

constexpr const char* kRelative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
constexpr const char* kFull = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
constexpr const char* kToken = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
constexpr const char* kTokenFile = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
constexpr const char* kEcs = "http://169.254.170.2";
constexpr std::array<std::string_view, 3> kAllowed = {"169.254.170.2", "169.254.170.23",
                                                      "fd00:ec2::23"};
constexpr std::int64_t kTimeoutMs = 2000;
constexpr int kAttempts = 3;
constexpr std::int64_t kPauseMs = 1000;
constexpr std::size_t kMostBytes = 64 << 10;

Failure refused_address(const char* variable, const std::string& why, const std::string& hint) {
  return {Fault::rights, "credentials: " + std::string(variable) + ": " + why, hint};
}

Secret authorization(const Environment& environment) {
  const std::string path = environment(kTokenFile);
  Secret token = path.empty() ? Secret(environment(kToken))
                              : read_token(path, "container authorization token");
  // It becomes a header.
  if (token.reveal().find_first_of("\r\n") != std::string_view::npos) {
    throw Failure(Fault::rights,
                  "credentials: " + std::string(path.empty() ? kToken : kTokenFile) +
                      ": the token has a line break in it",
                  "write the token on one line, without a line break at its end");
  }
  return token;
}

HttpRequest request_to(const Url& url, const Secret& token) {
  HttpRequest request;
  request.method = "GET";
  request.origin = url.origin();
  request.path = url.path;
  request.query = url.query;
  request.headers = {{"Accept", "application/json"}};
  if (!token.empty()) request.headers.push_back({"Authorization", std::string(token.reveal())});
  request.timeout_ms = kTimeoutMs;
  request.most_bytes = kMostBytes;
  return request;
}

/// Without the path: on ECS whoever knows it may fetch the credentials.
std::string place_of(const Url& url) { return "container endpoint " + url.origin(); }

std::string cause_in(const HttpAnswer& answer, const CredentialJson& read, const Secret& token) {
  if (answer.status == 0) return answer.error;
  const std::array<std::string_view, 1> secrets = {token.reveal()};
  const std::string said = quotable(read.message, secrets);
  if (!read.code.empty()) return printable(read.code, 80) + (said.empty() ? "" : ": " + said);
  if (answer.status == 200) return "it answered with " + read.problem;
  return "status " + std::to_string(answer.status) + (said.empty() ? "" : ": " + said);
}

}  // namespace

std::optional<Url> container_endpoint(const Environment& environment) {
  const std::string relative = environment(kRelative);
  const std::string full = environment(kFull);
  if (relative.empty() && full.empty()) return std::nullopt;
  if (!relative.empty()) {
    // Without the slash it could continue the address and name another host.
    const auto url = relative[0] == '/' ? parse_url(kEcs + relative) : std::nullopt;
    if (url) return *url;
    throw refused_address(kRelative, "not a path", "write it as /path");
  }
  const auto url = parse_url(full);
  if (!url) throw refused_address(kFull, "not a URL", "write it as http://host/path");
  const std::string_view host = bare_host(url->host);
  const bool allowed = url->scheme == "https" || is_loopback(host) ||
                       std::find(kAllowed.begin(), kAllowed.end(), host) != kAllowed.end();
  if (allowed) return *url;
  throw refused_address(kFull, "http to " + printable(url->host, 100) + " is not allowed",
                        "use https, a loopback address, or the address of ECS or EKS");
}

std::optional<Credentials> credentials_in_container(const Environment& environment,
                                                    const std::string& ca_bundle,
                                                    const std::stop_token& stop) {
  const auto url = container_endpoint(environment);
  if (!url) return std::nullopt;
  const Secret token = authorization(environment);
  Http http({ca_bundle});
  for (int attempt = 1;; ++attempt) {
    const HttpAnswer answer = fetch(http, request_to(*url, token), stop);
    CredentialJson read = read_metadata_credentials(answer.body);
    if (answer.status == 200 && read.credentials) {
      read.credentials->origin = place_of(*url);
      return std::move(read.credentials);
    }
    const bool passing = answer.status == 200
                             ? read.code.empty()
                             : fault_of(classify(read.code, answer.status)) == Fault::temporary;
    const std::string cause = place_of(*url) + ": " + cause_in(answer, read, token);
    if (!passing) {
      throw Failure(Fault::rights, "credentials: " + cause,
                    "check the role of this container and its authorization token");
    }
    if (attempt == kAttempts) {
      throw Failure(Fault::temporary,
                    "credentials: " + cause + ", after " + std::to_string(attempt) + " attempts",
                    std::string("run again later; check ") + kFull + " if it goes on");
    }
    pause(kPauseMs, stop);
  }
}

}  // namespace sluice
