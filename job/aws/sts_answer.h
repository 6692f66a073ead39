// SPDX-License-Identifier: Apache-2.0
// STS's XML: the few elements that matter.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "job/aws/credentials.h"

namespace sluice {

/// Of AssumeRole or AssumeRoleWithWebIdentity, without an origin; nothing when it is no such
/// answer.
std::optional<Credentials> parse_sts_credentials(std::string_view xml);

/// As much of an error as there is.
struct StsError {
  std::string code;
  std::string message;
};
StsError parse_sts_error(std::string_view xml);

}  // namespace sluice
