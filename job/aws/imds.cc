// SPDX-License-Identifier: Apache-2.0
#include "job/aws/imds.h"

#include <utility>

#include "job/aws/credential_json.h"
#include "job/aws/retry.h"
#include "job/base/failure.h"
#include "job/base/text.h"
#include "job/http/fetch.h"
#include "job/http/url.h"

namespace sluice {
namespace {

constexpr const char* kUsualEndpoint = "http://169.254.169.254";
constexpr const char* kIpv6Endpoint = "http://[fd00:ec2::254]";
constexpr const char* kTokenPath = "/latest/api/token";
constexpr const char* kRolePath = "/latest/meta-data/iam/security-credentials/";
constexpr const char* kRegionPath = "/latest/meta-data/placement/region";
constexpr const char* kTokenLifeS = "21600";  // the most there is
constexpr std::size_t kMostBytes = 64 << 10;
constexpr int kMostSeconds = 3600;
// It becomes a part of a path; IAM's own rule.
constexpr std::string_view kOfRoleName =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+=,.@_-";

struct Setting {
  const char* variable;
  const char* key;  // of the profile
};

std::string value_of(const Setting& setting, const Environment& environment,
                     const Profile& profile) {
  std::string value = environment(setting.variable);
  return value.empty() ? profile.setting(setting.key) : value;
}

int number_of(const Setting& setting, const Environment& environment, const Profile& profile) {
  const std::string text = value_of(setting, environment, profile);
  if (text.empty()) return 1;
  const auto number = parse_integer<int>(text);
  if (!number || *number < 1 || *number > kMostSeconds) {
    throw Failure(Fault::usage,
                  std::string(setting.variable) + ": '" + printable(text, 40) + "' is out of range",
                  "write a whole number from 1 to " + std::to_string(kMostSeconds));
  }
  return *number;
}

Url endpoint_of(const Environment& environment, const Profile& profile) {
  constexpr Setting kEndpoint{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint"};
  constexpr Setting kMode{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
                          "ec2_metadata_service_endpoint_mode"};
  const std::string mode = lower_ascii(value_of(kMode, environment, profile));
  if (!mode.empty() && mode != "ipv4" && mode != "ipv6") {
    throw Failure(Fault::usage,
                  std::string(kMode.variable) + ": '" + printable(mode, 40) + "' is no mode",
                  "write IPv4 or IPv6");
  }
  std::string text = value_of(kEndpoint, environment, profile);
  if (text.empty()) text = mode == "ipv6" ? kIpv6Endpoint : kUsualEndpoint;
  const auto url = parse_url(text);
  if (!url || !url->query.empty()) {
    throw Failure(Fault::usage,
                  std::string(kEndpoint.variable) + ": " + printable(text, 200) + " is not a URL",
                  "write it as http://host or http://host:port");
  }
  return *url;
}

bool may_recover(const HttpAnswer& answer) {
  return fault_of(classify("", answer.status)) == Fault::temporary;
}

}  // namespace

Imds::Imds(const Environment& environment, const Profile& profile, std::stop_token stop)
    : stop_(std::move(stop)),
      disabled_(lower_ascii(environment("AWS_EC2_METADATA_DISABLED")) == "true"),
      timeout_ms_(std::int64_t{1000} *
                  number_of({"AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout"},
                            environment, profile)),
      attempts_(number_of({"AWS_METADATA_SERVICE_NUM_ATTEMPTS", "metadata_service_num_attempts"},
                          environment, profile)),
      http_(HttpSettings{}) {
  const Url endpoint = endpoint_of(environment, profile);
  origin_ = endpoint.origin();
  base_path_ = endpoint.path.substr(0, endpoint.path.find_last_not_of('/') + 1);
}

std::optional<Credentials> Imds::credentials() {
  const auto session = token();
  if (!session) return std::nullopt;
  const HttpAnswer named = get(kRolePath, *session);
  const std::string role(trim_ascii(named.body.substr(0, named.body.find('\n'))));
  if (named.status == 404 || (named.status == 200 && role.empty())) return std::nullopt;
  if (named.status != 200) refuse("the name of the role", named);
  if (role.find_first_not_of(kOfRoleName) != std::string::npos) {
    refuse("the name of the role", named, "not a name");
  }

  const HttpAnswer given = get(kRolePath + role, *session);
  if (given.status != 200) refuse("credentials of role " + role, given);
  CredentialJson read = read_metadata_credentials(given.body);
  if (!read.code.empty()) {
    throw Failure(Fault::rights,
                  "credentials: instance metadata, role " + role + ": " + printable(read.code, 80) +
                      ": " + printable(read.message),
                  "check the trust policy of the role: EC2 must be allowed to assume it");
  }
  if (!read.credentials) refuse("credentials of role " + role, given, read.problem);
  read.credentials->origin = "instance metadata, role " + role;
  return std::move(read.credentials);
}

std::optional<std::string> Imds::region() {
  const auto session = token();
  if (!session) return std::nullopt;
  const HttpAnswer answer = get(kRegionPath, *session);
  if (answer.status != 200) return std::nullopt;
  return std::string(trim_ascii(answer.body));
}

/// The key to everything else. Whoever refuses it is turned off, or no IMDSv2.
std::optional<std::string> Imds::token() {
  if (disabled_) return std::nullopt;
  const HttpAnswer answer =
      ask("PUT", kTokenPath, {"x-aws-ec2-metadata-token-ttl-seconds", kTokenLifeS});
  if (answer.status != 0 && may_recover(answer)) refuse("a session token", answer);
  const bool sendable = answer.body.find_first_of("\r\n") == std::string::npos;
  if (answer.status != 200 || answer.body.empty() || !sendable) return std::nullopt;
  return answer.body;
}

HttpAnswer Imds::get(const std::string& path, const std::string& token) {
  return ask("GET", path, {"x-aws-ec2-metadata-token", token});
}

HttpAnswer Imds::ask(const std::string& method, const std::string& path, const Header& header) {
  for (int attempt = 1;; ++attempt) {
    HttpRequest request;
    request.method = method;
    request.origin = origin_;
    request.path = base_path_ + path;
    request.headers = {header};
    request.timeout_ms = timeout_ms_;
    request.most_bytes = kMostBytes;
    HttpAnswer answer = fetch(http_, std::move(request), stop_);
    if (attempt >= attempts_ || !may_recover(answer)) return answer;
  }
}

void Imds::refuse(const std::string& what, const HttpAnswer& answer,
                  const std::string& problem) const {
  std::string cause = problem;
  if (answer.status == 0) cause = answer.error;
  if (cause.empty()) cause = "status " + std::to_string(answer.status);
  throw Failure(
      answer.status == 200 || may_recover(answer) ? Fault::temporary : Fault::rights,
      "credentials: asking instance metadata at " + origin_ + " for " + what + ": " + cause,
      "run again later, or set AWS_EC2_METADATA_DISABLED=true to do without it");
}

}  // namespace sluice
