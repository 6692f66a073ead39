// SPDX-License-Identifier: Apache-2.0
#include "job/aws/credentials.h"

#include <string_view>
#include <utility>

#include "job/base/failure.h"

namespace sluice {
namespace {

Failure half_set(const std::string& origin, std::string_view missing) {
  return {Fault::rights,
          "credentials: " + origin + " has an access key but no " + std::string(missing),
          "set " + std::string(missing) + " as well, or remove the access key"};
}

std::optional<Credentials> in_environment(const Environment& environment) {
  const std::string origin = "the environment";
  Credentials found{environment("AWS_ACCESS_KEY_ID"), Secret(environment("AWS_SECRET_ACCESS_KEY")),
                    Secret(environment("AWS_SESSION_TOKEN")), origin};
  if (found.access_key.empty()) return std::nullopt;
  if (found.secret.empty()) throw half_set(origin, "AWS_SECRET_ACCESS_KEY");
  return found;
}

std::optional<Credentials> in_section(const IniFile::Section* section, const std::string& origin) {
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

}  // namespace

std::vector<CredentialSource> credential_sources(const Profile& profile,
                                                 const Environment& environment) {
  const std::string in_file = "profile " + profile.name() + " in ";
  const std::string credentials_file = in_file + profile.credentials_path();
  const std::string config_file = in_file + profile.config_path();
  std::vector<CredentialSource> sources;
  if (!profile.named_by_flag()) {
    sources.push_back({"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                       [&environment] { return in_environment(environment); }});
  }
  sources.push_back({credentials_file, [&profile, credentials_file] {
                       return in_section(profile.in_credentials_file(), credentials_file);
                     }});
  sources.push_back({config_file, [&profile, config_file] {
                       return in_section(profile.in_config_file(), config_file);
                     }});
  return sources;
}

Credentials find_credentials(std::span<const CredentialSource> sources) {
  std::string places;
  for (const CredentialSource& source : sources) {
    if (auto found = source.find()) return std::move(*found);
    places += (places.empty() ? "" : ", or ") + source.place;
  }
  throw Failure(Fault::rights, "credentials: none found in the environment or AWS's files",
                "set " + places);
}

}  // namespace sluice
