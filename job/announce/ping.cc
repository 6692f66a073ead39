// SPDX-License-Identifier: Apache-2.0
#include "job/announce/ping.h"

namespace sluice {
namespace {

Announcement call(const Ping& ping, const std::string& signal, const std::string& run_id) {
  Announcement announcement{"dead-man ping", ping.url};
  HttpRequest& request = announcement.request;
  request.method = "GET";
  if (ping.style == PingStyle::healthchecks) {
    if (request.path.ends_with('/')) request.path.pop_back();
    request.path += signal;
    request.query += (request.query.empty() ? "rid=" : "&rid=") + run_id;
  }
  return announcement;
}

}  // namespace

std::optional<Announcement> Ping::at_start(const std::string& run_id) const {
  if (style == PingStyle::plain) return std::nullopt;
  return call(*this, "/start", run_id);
}

std::optional<Announcement> Ping::at_end(const Summary& summary) const {
  if (summary.succeeded()) return call(*this, "", summary.facts.run_id);
  if (style == PingStyle::plain || summary.status == "skipped") return std::nullopt;
  return call(*this, "/" + std::to_string(summary.exit_code), summary.facts.run_id);
}

}  // namespace sluice
