// SPDX-License-Identifier: Apache-2.0
// What every place where credentials may lie is looked up with.
#pragma once

#include <stop_token>

#include "job/aws/endpoint.h"
#include "job/aws/profile.h"
#include "job/base/environment.h"

namespace sluice {

/// Lives as long as one look. `profile` is that of the run: it says how STS is reached, whichever
/// profile a role is taken from.
struct CredentialSearch {
  const Profile& profile;
  const Environment& environment;
  const EndpointWishes& wishes;
  std::stop_token stop = {};
};

}  // namespace sluice
