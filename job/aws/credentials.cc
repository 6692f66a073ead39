// SPDX-License-Identifier: Apache-2.0
#include "job/aws/credentials.h"

#include <memory>
#include <utility>

#include "job/aws/assume_role.h"
#include "job/aws/container_credentials.h"
#include "job/aws/imds.h"
#include "job/aws/profile_credentials.h"
#include "job/aws/static_credentials.h"
#include "job/base/failure.h"

namespace sluice {
namespace {

/// What the sources keep, for looks from another thread after the caller has gone.
struct Kept {
  Profile profile;
  Environment environment;
  EndpointWishes wishes;
};

using Look = std::function<std::optional<Credentials>(const CredentialSearch&)>;

}  // namespace

std::vector<CredentialSource> credential_sources(const Profile& profile,
                                                 const Environment& environment,
                                                 const EndpointWishes& wishes) {
  const auto kept = std::make_shared<const Kept>(Kept{profile, environment, wishes});
  std::vector<CredentialSource> sources;
  const auto add = [&](std::string place, std::string advice, Look look) {
    sources.push_back({std::move(place), std::move(advice),
                       [kept, look = std::move(look)](const std::stop_token& stop) {
                         const Profile now = kept->profile.read_again();
                         return look({now, kept->environment, kept->wishes, stop});
                       }});
  };
  if (!profile.named_by_flag()) {
    const std::string variables = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
    add(variables, "set " + variables,
        [](const CredentialSearch& search) { return credentials_in(search.environment); });
  }
  add("role_arn of profile " + profile.name(), "", credentials_of_role);
  for (const ProfileSource& source : profile_sources()) {
    add(source.place(profile), source.advice(profile),
        [&source](const CredentialSearch& search) { return source.find(search, search.profile); });
  }
  add("a container's endpoint", "", [](const CredentialSearch& search) {
    return credentials_in_container(
        search.environment, find_ca_bundle(search.environment, search.profile), search.stop);
  });
  add("instance metadata", "give this host a role", [](const CredentialSearch& search) {
    return Imds(search.environment, search.profile, search.stop).credentials();
  });
  return sources;
}

Credentials find_credentials(std::span<const CredentialSource> sources, const std::stop_token& stop,
                             std::size_t* which) {
  std::string advice;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (auto found = sources[i].find(stop)) {
      if (which != nullptr) *which = i;
      return std::move(*found);
    }
    if (sources[i].advice.empty()) continue;
    advice += (advice.empty() ? "" : ", or ") + sources[i].advice;
  }
  throw Failure(Fault::rights,
                "credentials: none found in the environment, AWS's files, a container's endpoint "
                "or instance metadata",
                advice);
}

}  // namespace sluice
