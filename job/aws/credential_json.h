// SPDX-License-Identifier: Apache-2.0
// Credentials as processes, containers and instance metadata write them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "job/aws/credentials.h"

namespace sluice {

struct CredentialJson {
  std::optional<Credentials> credentials;  // without an origin
  std::string problem;                     // when there are none; never a value of theirs
  /// What the provider says of an error of its own: a code, and text for a person.
  std::string code;
  std::string message;
};

/// `{"AccessKeyId", "SecretAccessKey", "Token", "Expiration"}`; without an expiration they do not
/// expire. A code other than "Success" is an error whatever else is there.
CredentialJson read_metadata_credentials(std::string_view json);

/// `{"Version": 1, …, "SessionToken", …}`
CredentialJson read_process_credentials(std::string_view json);

}  // namespace sluice
