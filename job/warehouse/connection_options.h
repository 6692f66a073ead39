// SPDX-License-Identifier: Apache-2.0
// How to reach Postgres: what the user set, with our defaults where they set nothing.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sluice {

/// libpq keywords and values for one host.
using ConnectionOptions = std::map<std::string, std::string, std::less<>>;

/// One entry a host of `conninfo` (a connection string or URI; empty: libpq's environment), in the
/// order to try them. libpq goes through several hosts by itself, but gives up on a silent one only
/// when it blocks, which we never let it. A service file that is named inside `conninfo` cannot be
/// looked into: our defaults win over it. Failure{usage} when the string is malformed; its text is
/// not repeated, a password may be in it.
std::vector<ConnectionOptions> connection_options(const std::string& conninfo);

/// How long one host may take, from `connect_timeout`; 0 there means without limit to libpq, a day
/// to us.
std::int64_t connect_timeout_ms(const ConnectionOptions& options);

}  // namespace sluice
