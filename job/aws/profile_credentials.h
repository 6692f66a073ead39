// SPDX-License-Identifier: Apache-2.0
// Where the credentials of one profile may come from: the run's own, or one that a role is assumed
// with.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "job/aws/credential_search.h"
#include "job/aws/credentials.h"

namespace sluice {

struct ProfileSource {
  std::string (*place)(const Profile&);
  std::string (*advice)(const Profile&);  // as in CredentialSource
  std::optional<Credentials> (*find)(const CredentialSearch&, const Profile&);
};

/// In order: web identity, SSO (refused), credentials file, credential_process, config file.
std::span<const ProfileSource> profile_sources();

}  // namespace sluice
