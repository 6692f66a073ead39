// SPDX-License-Identifier: Apache-2.0
// A role that a profile names by role_arn, assumed with the credentials of another profile or
// place.
#pragma once

#include <optional>

#include "job/aws/credential_search.h"
#include "job/aws/credentials.h"

namespace sluice {

/// Nothing when the profile names no role, or assumes it by web identity. source_profile may name a
/// role in turn; a circle is Failure{rights}, as is a device that a person would have to read.
std::optional<Credentials> credentials_of_role(const CredentialSearch& search);

}  // namespace sluice
