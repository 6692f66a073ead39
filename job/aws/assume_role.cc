// SPDX-License-Identifier: Apache-2.0
#include "job/aws/assume_role.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "job/aws/container_credentials.h"
#include "job/aws/imds.h"
#include "job/aws/profile_credentials.h"
#include "job/aws/static_credentials.h"
#include "job/aws/sts.h"
#include "job/base/failure.h"
#include "job/base/text.h"

namespace sluice {
namespace {

Failure refusal(const Profile& profile, const std::string& what, const std::string& hint) {
  return {Fault::rights, "credentials: profile " + profile.name() + ": " + what, hint};
}

bool names_role(const Profile& profile) {
  return !profile.setting("role_arn").empty() && profile.setting("web_identity_token_file").empty();
}

bool has_keys(const Profile& profile) {
  return !profile.setting("aws_access_key_id").empty() ||
         !profile.setting("aws_secret_access_key").empty();
}

Role role_of(const Profile& profile) {
  Role role{profile.setting("role_arn"), profile.setting("role_session_name"),
            profile.setting("external_id")};
  const std::string duration = profile.setting("duration_seconds");
  if (duration.empty()) return role;
  role.duration_s = parse_integer<int>(duration);
  if (role.duration_s && *role.duration_s > 0) return role;
  throw refusal(profile, "duration_seconds is no number", "write a whole number of seconds");
}

/// One profile after the other, down to credentials that are no role's.
class Chain {
 public:
  explicit Chain(const CredentialSearch& search) : search_(search) {}

  Credentials assume(const Profile& profile) {
    visited_.push_back(profile.name());
    if (!profile.setting("mfa_serial").empty()) {
      throw refusal(profile, "mfa_serial wants a code that only a person can read",
                    "take mfa_serial out, or use credential_process");
    }
    const Role role = role_of(profile);
    const Credentials keys = keys_for(profile);
    Credentials found = Sts(search_).assume_role(role, keys);
    found.origin = "role " + role.arn + " (profile " + profile.name() + "), from " + keys.origin;
    return found;
  }

 private:
  Credentials keys_for(const Profile& profile) {
    const std::string source = profile.setting("source_profile");
    const std::string place = profile.setting("credential_source");
    if (source.empty() == place.empty()) {
      throw refusal(profile,
                    source.empty() ? "role_arn without source_profile or credential_source"
                                   : "both source_profile and credential_source",
                    "write one of them: whose credentials assume the role?");
    }
    return place.empty() ? keys_of(profile, source) : keys_at(profile, place);
  }

  Credentials keys_at(const Profile& profile, const std::string& place) {
    std::optional<Credentials> found;
    if (place == "Environment") {
      found = credentials_in(search_.environment);
    } else if (place == "EcsContainer") {
      found = credentials_in_container(
          search_.environment, find_ca_bundle(search_.environment, search_.profile), search_.stop);
    } else if (place == "Ec2InstanceMetadata") {
      found = Imds(search_.environment, search_.profile, search_.stop).credentials();
    } else {
      throw refusal(profile, "credential_source " + printable(place, 60) + " is unknown",
                    "write Environment, EcsContainer or Ec2InstanceMetadata");
    }
    if (found) return std::move(*found);
    throw refusal(profile, "credential_source " + place + " has no credentials",
                  "set it up, or name another credential_source or a source_profile");
  }

  Credentials keys_of(const Profile& profile, const std::string& source) {
    const auto other = profile.other(source);
    if (!other) {
      throw refusal(profile, "source_profile " + printable(source, 60) + " does not exist",
                    "add it, or correct source_profile");
    }
    const bool visited = std::find(visited_.begin(), visited_.end(), source) != visited_.end();
    if (visited && (source != profile.name() || !has_keys(*other))) {
      throw refusal(profile, "its source_profile leads in a circle: " + path_to(source),
                    "let the last profile have keys of its own");
    }
    if (!has_keys(*other) && names_role(*other)) return assume(*other);
    for (const ProfileSource& place : profile_sources()) {
      if (auto found = place.find(search_, *other)) return std::move(*found);
    }
    throw refusal(profile, "source_profile " + source + " has no credentials",
                  "give it keys, credential_process or a role");
  }

  std::string path_to(const std::string& last) const {
    std::string path;
    for (const std::string& name : visited_) path += name + " -> ";
    return path + last;
  }

  const CredentialSearch& search_;
  std::vector<std::string> visited_;
};

}  // namespace

std::optional<Credentials> credentials_of_role(const CredentialSearch& search) {
  if (!names_role(search.profile)) return std::nullopt;
  return Chain(search).assume(search.profile);
}

}  // namespace sluice
