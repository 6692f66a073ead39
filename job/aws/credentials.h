// SPDX-License-Identifier: Apache-2.0
// Who the program is to AWS: the places where credentials may lie, in AWS's order.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

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
};

/// One place. `find` answers nothing when the place is not set up, which sends the search on; a
/// place that is set up wrongly throws Failure{rights}, which ends it.
struct CredentialSource {
  std::string place;
  std::function<std::optional<Credentials>()> find;
};

/// In order. They refer to `profile` and `environment`, which must live as long.
std::vector<CredentialSource> credential_sources(const Profile& profile,
                                                 const Environment& environment);

/// Of the first source that has any; Failure{rights} when none has.
Credentials find_credentials(std::span<const CredentialSource> sources);

}  // namespace sluice
