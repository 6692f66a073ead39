// SPDX-License-Identifier: Apache-2.0
// The addresses of services: http and https only, without user, password or fragment.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice {

struct Url {
  std::string scheme;
  std::string host;  // lower case, with the port unless it is the scheme's usual one
  std::string path;  // at least "/"
  std::string query;

  std::string origin() const { return scheme + "://" + host; }
};

/// Nothing when it is no such address.
std::optional<Url> parse_url(std::string_view text);

/// Of `host[:port]`: without the port and the brackets of IPv6.
std::string_view bare_host(std::string_view host);

/// 127.0.0.0/8, ::1 and the name localhost; of a bare host.
bool is_loopback(std::string_view bare);
/// 169.254.0.0/16, where metadata services live; of a bare host.
bool is_link_local(std::string_view bare);

}  // namespace sluice
