// SPDX-License-Identifier: Apache-2.0
// Credentials that a container is given: by ECS, EKS's pod identities, Greengrass.
#pragma once

#include <optional>
#include <stop_token>

#include "job/aws/credentials.h"
#include "job/base/environment.h"
#include "job/http/url.h"

namespace sluice {

/// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI before ..._FULL_URI; nothing when neither is set.
/// Failure{rights} for an address that would carry the token to somebody else: only https, loopback
/// and the addresses of ECS and EKS are allowed.
std::optional<Url> container_endpoint(const Environment& environment);

/// Nothing when there is no such endpoint. Failure{rights} when it refuses, Failure{temporary} when
/// it does not answer, three times.
std::optional<Credentials> credentials_in_container(const Environment& environment,
                                                    const std::string& ca_bundle,
                                                    const std::stop_token& stop);

}  // namespace sluice
