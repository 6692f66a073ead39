// SPDX-License-Identifier: Apache-2.0
#include "job/http/url.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <arpa/inet.h>

#include "job/base/text.h"

namespace sluice {
namespace {

constexpr std::string_view kOfName = "abcdefghijklmnopqrstuvwxyz0123456789-._";
constexpr std::string_view kOfIpv6 = "abcdef0123456789:.";

std::optional<std::array<unsigned char, 4>> parse_ipv4(std::string_view text) {
  std::array<unsigned char, 4> bytes{};
  if (::inet_pton(AF_INET, std::string(text).c_str(), bytes.data()) != 1) return std::nullopt;
  return bytes;
}

/// A name, an IPv4 address or an IPv6 address in brackets, and perhaps a port.
bool is_host(std::string_view host) {
  const bool v6 = host.starts_with('[');
  const std::string_view bare = bare_host(host);
  const std::size_t end = bare.size() + (v6 ? 2 : 0);
  if (bare.empty() || end > host.size() ||
      bare.find_first_not_of(v6 ? kOfIpv6 : kOfName) != std::string_view::npos) {
    return false;
  }
  const std::string_view port = host.substr(end);
  return port.empty() || (port.starts_with(':') && parse_integer<std::uint16_t>(port.substr(1)));
}

}  // namespace

std::optional<Url> parse_url(std::string_view text) {
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  Url url{lower_ascii(text.substr(0, colon)), "", "/", ""};
  if (url.scheme != "http" && url.scheme != "https") return std::nullopt;
  text.remove_prefix(colon + 3);

  const std::size_t end = std::min(text.find_first_of("/?"), text.size());
  url.host = lower_ascii(text.substr(0, end));
  text.remove_prefix(end);
  const std::size_t question = text.find('?');
  if (question != 0 && !text.empty()) url.path = text.substr(0, question);
  if (question != std::string_view::npos) url.query = text.substr(question + 1);

  const auto is_sendable = [](char c) { return c > ' ' && c <= '~' && c != '#'; };
  if (!is_host(url.host) || !std::all_of(text.begin(), text.end(), is_sendable)) {
    return std::nullopt;
  }
  const std::string_view usual_port = url.scheme == "http" ? ":80" : ":443";
  if (url.host.ends_with(usual_port)) url.host.resize(url.host.size() - usual_port.size());
  return url;
}

std::string_view bare_host(std::string_view host) {
  if (!host.starts_with('[')) return host.substr(0, host.find(':'));
  return host.substr(1, host.find(']') - 1);
}

bool is_loopback(std::string_view bare) {
  if (bare == "localhost") return true;
  if (const auto bytes = parse_ipv4(bare)) return (*bytes)[0] == 127;
  in6_addr address{};
  return ::inet_pton(AF_INET6, std::string(bare).c_str(), &address) == 1 &&
         IN6_IS_ADDR_LOOPBACK(&address);
}

bool is_link_local(std::string_view bare) {
  const auto bytes = parse_ipv4(bare);
  return bytes && (*bytes)[0] == 169 && (*bytes)[1] == 254;
}

}  // namespace sluice
