// SPDX-License-Identifier: Apache-2.0
// Keys that are written down. A key without its secret is Failure{rights}.
#pragma once

#include <optional>
#include <string>

#include "job/aws/credentials.h"
#include "job/aws/ini_file.h"
#include "job/base/environment.h"

namespace sluice {

/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.
std::optional<Credentials> credentials_in(const Environment& environment);

/// aws_access_key_id and its like; nothing without a section. `origin` says which it is.
std::optional<Credentials> credentials_in(const IniFile::Section* section,
                                          const std::string& origin);

}  // namespace sluice
