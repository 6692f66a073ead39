// SPDX-License-Identifier: Apache-2.0
// Names as SQL writes them.
#pragma once

#include <string>
#include <string_view>

#include "job/config/pipeline.h"

namespace sluice {

/// In double quotes, as PostgreSQL quotes an identifier.
std::string quoted(std::string_view name);
/// "public"."user_logins"
std::string quoted(const Table& table);

}  // namespace sluice
