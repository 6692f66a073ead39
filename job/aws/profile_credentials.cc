// SPDX-License-Identifier: Apache-2.0
#include "job/aws/profile_credentials.h"

#include <array>

#include "job/aws/credential_process.h"
#include "job/aws/static_credentials.h"
#include "job/aws/web_identity.h"
#include "job/base/failure.h"

namespace sluice {
namespace {

std::string key_of(const char* key, const Profile& profile) {
  return key + (" of profile " + profile.name());
}
std::string credentials_file(const Profile& profile) {
  return "profile " + profile.name() + " in " + profile.credentials_path();
}
std::string config_file(const Profile& profile) {
  return "profile " + profile.name() + " in " + profile.config_path();
}
std::string no_advice(const Profile&) { return ""; }

/// The login of a person, which no scheduler has.
std::optional<Credentials> refuse_sso(const CredentialSearch&, const Profile& profile) {
  if (profile.setting("sso_account_id").empty() && profile.setting("sso_role_name").empty()) {
    return std::nullopt;
  }
  throw Failure(Fault::rights,
                "credentials: profile " + profile.name() + " logs in by SSO, which needs a person",
                "let credential_process of the profile run a program that has the login, such as "
                "aws configure export-credentials");
}

constexpr std::array<ProfileSource, 5> kSources = {{
    {[](const Profile& profile) { return key_of("web_identity_token_file", profile); }, no_advice,
     credentials_of_web_identity},
    {[](const Profile& profile) { return key_of("SSO", profile); }, no_advice, refuse_sso},
    {[](const Profile& profile) { return "keys of " + credentials_file(profile); },
     [](const Profile& profile) { return "write keys to " + credentials_file(profile); },
     [](const CredentialSearch&, const Profile& profile) {
       return credentials_in(profile.in_credentials_file(), credentials_file(profile));
     }},
    {[](const Profile& profile) { return key_of("credential_process", profile); }, no_advice,
     [](const CredentialSearch& search, const Profile& profile) {
       return credentials_of_process(profile, search.stop);
     }},
    {[](const Profile& profile) { return "keys of " + config_file(profile); },
     [](const Profile& profile) {
       return "write role_arn or credential_process to " + config_file(profile);
     },
     [](const CredentialSearch&, const Profile& profile) {
       return credentials_in(profile.in_config_file(), config_file(profile));
     }},
}};

}  // namespace

std::span<const ProfileSource> profile_sources() { return kSources; }

}  // namespace sluice
