// SPDX-License-Identifier: Apache-2.0
// A role for whoever holds a token of an identity provider, as Kubernetes writes it into a pod.
#pragma once

#include <optional>

#include "job/aws/credential_search.h"
#include "job/aws/credentials.h"

namespace sluice {

/// AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN and AWS_ROLE_SESSION_NAME, each before the profile's
/// web_identity_token_file, role_arn and role_session_name. The variables are of the run: they do
/// not count for another profile, nor where a flag names the profile. Nothing without a token file.
std::optional<Credentials> credentials_of_web_identity(const CredentialSearch& search,
                                                       const Profile& profile);

}  // namespace sluice
