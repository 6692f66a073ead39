// SPDX-License-Identifier: Apache-2.0
// Credentials that a program of the owner's prints: credential_process of a profile.
#pragma once

#include <optional>
#include <stop_token>

#include "job/aws/credentials.h"
#include "job/aws/profile.h"

namespace sluice {

/// Nothing when the profile names no program. Failure{rights} when it cannot be run, fails or
/// prints something else, Failure{temporary} when it does not end in time. Its arguments and what
/// it prints are never told, of its complaints a line.
std::optional<Credentials> credentials_of_process(const Profile& profile,
                                                  const std::stop_token& stop);

}  // namespace sluice
