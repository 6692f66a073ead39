// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/connection_options.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include <libpq-fe.h>

#include "job/base/failure.h"
#include "job/base/text.h"

namespace sluice {
namespace {

// keepalives cover the wait for COMMIT, tcp_user_timeout covers what was sent; neither covers a
// stuck server: for that every wait of ours has a deadline. sslmode and channel_binding are the
// user's business.
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kDefaults = {{
    {"connect_timeout", "5"},
    {"keepalives_idle", "30"},
    {"keepalives_interval", "10"},
    {"keepalives_count", "3"},
    {"tcp_user_timeout", "30000"},
    {"target_session_attrs", "read-write"},
    {"application_name", "sluice"},
}};

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using ParsedOptions = std::unique_ptr<PQconninfoOption, FreeOptions>;

ConnectionOptions values_of(const ParsedOptions& parsed) {
  ConnectionOptions values;
  for (const PQconninfoOption* o = parsed.get(); o != nullptr && o->keyword != nullptr; ++o) {
    if (o->val != nullptr && *o->val != '\0') values[o->keyword] = o->val;
  }
  return values;
}

ConnectionOptions parse(const std::string& conninfo) {
  if (conninfo.empty()) return {};
  const ParsedOptions parsed(PQconninfoParse(conninfo.c_str(), nullptr));
  if (!parsed) {
    throw Failure(Fault::usage, "reading the Postgres connection string: it is malformed",
                  "write postgresql://user@host/database or \"host=… dbname=…\"");
  }
  return values_of(parsed);
}

const std::string* find(const ConnectionOptions& values, std::string_view keyword) {
  const auto found = values.find(keyword);
  return found == values.end() ? nullptr : &found->second;
}

/// One entry a host. An empty entry of a list means libpq's default for it; one port may serve
/// several hosts.
std::vector<ConnectionOptions> split_hosts(const ConnectionOptions& options,
                                           const ConnectionOptions& environment) {
  std::size_t hosts = 1;
  std::map<std::string, std::vector<std::string_view>> lists;
  for (const char* keyword : {"host", "hostaddr", "port"}) {
    const std::string* own = find(options, keyword);
    const std::string* value = own != nullptr ? own : find(environment, keyword);
    if (value == nullptr) continue;
    lists[keyword] = split(*value, ',');
    if (std::string_view(keyword) != "port") hosts = std::max(hosts, lists[keyword].size());
  }
  if (hosts == 1) return {options};
  std::vector<ConnectionOptions> all(hosts, options);
  for (const auto& [keyword, list] : lists) {
    if (list.size() != 1 && list.size() != hosts) return {options};  // libpq will say what is wrong
    for (std::size_t i = 0; i < hosts; ++i) all[i][keyword] = list[list.size() == 1 ? 0 : i];
  }
  return all;
}

}  // namespace

std::vector<ConnectionOptions> connection_options(const std::string& conninfo) {
  ConnectionOptions options = parse(conninfo);
  const ConnectionOptions environment = values_of(ParsedOptions(PQconndefaults()));
  for (const auto& [keyword, value] : kDefaults) {
    if (options.contains(keyword)) continue;
    const std::string* set = find(environment, keyword);
    // "any" is libpq's own default: from there it means that nobody set it.
    options[std::string(keyword)] = set != nullptr && *set != "any" ? *set : std::string(value);
  }
  options["client_encoding"] = "UTF8";  // staged rows are UTF-8
  return split_hosts(options, environment);
}

std::int64_t connect_timeout_ms(const ConnectionOptions& options) {
  constexpr std::int64_t kDay = 86'400;
  const std::string* set = find(options, "connect_timeout");
  const auto seconds = set == nullptr ? std::nullopt : parse_integer<std::int64_t>(*set);
  return 1000 * (seconds && *seconds > 0 ? std::min(*seconds, kDay) : kDay);
}

}  // namespace sluice
