// SPDX-License-Identifier: Apache-2.0
#include "job/aws/static_credentials.h"

#include <string_view>

#include "job/base/failure.h"

namespace sluice {
namespace {

Failure half_set(const std::string& origin, std::string_view missing) {
  return {Fault::rights,
          "credentials: " + origin + " has an access key but no " + std::string(missing),
          "set " + std::string(missing) + " as well, or remove the access key"};
}

}  // namespace

std::optional<Credentials> credentials_in(const Environment& environment) {
  const std::string origin = "the environment";
  Credentials found{environment("AWS_ACCESS_KEY_ID"), Secret(environment("AWS_SECRET_ACCESS_KEY")),
                    Secret(environment("AWS_SESSION_TOKEN")), origin};
  if (found.access_key.empty()) return std::nullopt;
  if (found.secret.empty()) throw half_set(origin, "AWS_SECRET_ACCESS_KEY");
  return found;
}

std::optional<Credentials> credentials_in(const IniFile::Section* section,
                                          const std::string& origin) {
  if (section == nullptr) return std::nullopt;
  const auto value = [&](std::string_view key) {
    const auto at = section->find(key);
    return at == section->end() ? std::string() : std::string(at->second.value);
  };
  Credentials found{value("aws_access_key_id"), Secret(value("aws_secret_access_key")),
                    Secret(value("aws_session_token")), origin};
  if (found.access_key.empty()) return std::nullopt;
  if (found.secret.empty()) throw half_set(origin, "aws_secret_access_key");
  return found;
}

}  // namespace sluice
