// SPDX-License-Identifier: Apache-2.0
// Who the program is to AWS: the places where credentials may lie, in AWS's order.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "job/aws/endpoint.h"
#include "job/aws/profile.h"
#include "job/base/environment.h"
#include "job/base/secret.h"

namespace sluice {

struct Credentials {
  std::string access_key;
  Secret secret;
  Secret session_token;  // empty for long-lived keys
  std::string
      origin;  // for a person: "the environment", "profile reporting in /root/.aws/credentials"
  std::optional<std::int64_t> expires_ms = {};  // wall clock; none: they do not expire
};

/// One place. `find` answers nothing when the place is not set up, which sends the search on; a
/// place that is set up wrongly throws Failure{rights} and one that is out of order
/// Failure{temporary}, which end it. Each call looks again, into files too. A stop that is asked
/// for makes it throw soon.
struct CredentialSource {
  std::string place;   // for a person: "role_arn of profile reporting"
  std::string advice;  // how to set it up: "give this host a role"; empty: there are better places
  std::function<std::optional<Credentials>(const std::stop_token&)> find;
};

/// In order. They keep what they need; `wishes` say where STS is asked for roles.
std::vector<CredentialSource> credential_sources(const Profile& profile,
                                                 const Environment& environment,
                                                 const EndpointWishes& wishes = {});

/// Of the first source that has any, counted in `which` when given; Failure{rights} when none has.
Credentials find_credentials(std::span<const CredentialSource> sources,
                             const std::stop_token& stop = {}, std::size_t* which = nullptr);

}  // namespace sluice
