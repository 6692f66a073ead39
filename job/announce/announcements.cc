// SPDX-License-Identifier: Apache-2.0
#include "job/announce/announcements.h"

#include "job/base/failure.h"
#include "job/base/log.h"
#include "job/base/text.h"

namespace sluice {
namespace {

constexpr std::int64_t kStartWithinMs = 1'000;
constexpr std::int64_t kEndWithinMs = 5'000;

std::optional<Url> url_of(const Settings& settings, const std::string& option) {
  if (!settings.has(option)) return std::nullopt;
  auto url = parse_url(settings.text(option));
  if (url) return url;
  // The value is not repeated: it may hold a secret.
  throw Failure(Fault::usage, option + ": what is given is no http or https address",
                "write it as https://host/path, without user, password or fragment");
}

void add(std::vector<Announcement>& all, std::optional<Announcement> one) {
  if (one) all.push_back(std::move(*one));
}

}  // namespace

Announcements::Announcements(const Settings& settings, const Environment& environment) {
  if (const std::string parent = environment("TRACEPARENT"); !parent.empty()) {
    trace_ = parse_traceparent(parent);
    if (trace_) {
      trace_ = next_span(*trace_);
    } else {
      log().write(Level::debug, "no-trace", "TRACEPARENT: not of version 00 of W3C Trace Context");
    }
  }
  if (const auto url = url_of(settings, "pushgateway")) pushgateway_ = Pushgateway{*url};
  if (const auto url = url_of(settings, "ping-url")) {
    const bool tells_more = settings.text("ping-style") == "healthchecks";
    ping_ = Ping{*url, tells_more ? PingStyle::healthchecks : PingStyle::plain};
  }
  take_lineage(environment);
}

/// As OpenLineage's clients read them: https://openlineage.io/docs/client/python/configuration
void Announcements::take_lineage(const Environment& environment) {
  std::string address = environment("OPENLINEAGE_URL");
  if (address.empty() || lower_ascii(environment("OPENLINEAGE_DISABLED")) == "true") return;
  std::string endpoint = environment("OPENLINEAGE_ENDPOINT");
  if (endpoint.empty()) endpoint = "api/v1/lineage";
  if (!address.ends_with('/') && !endpoint.starts_with('/')) address += '/';
  catalogue_ = parse_url(address + endpoint);
  if (!catalogue_) {
    log().write_with_hint(Level::warning, "not-announced",
                          "OPENLINEAGE_URL: what is given is no http or https address",
                          "write it as https://host, without user, password or fragment");
    return;
  }
  catalogue_key_ = Secret(std::string(trim_ascii(environment("OPENLINEAGE_API_KEY"))));
  const std::string name_space = environment("OPENLINEAGE_NAMESPACE");
  if (!name_space.empty()) job_.name_space = name_space;
  const std::string parent = environment("OPENLINEAGE_PARENT_ID");
  job_.parent = parse_parent_run(parent);
  if (!parent.empty() && !job_.parent) {
    log().write(Level::debug, "no-parent-run",
                "OPENLINEAGE_PARENT_ID: not of the form namespace/job/run id, the last a UUID");
  }
}

void Announcements::started(const RunFacts& facts, const Lineage& lineage) const noexcept try {
  std::vector<Announcement> all;
  if (ping_) add(all, ping_->at_start(facts.run_id));
  if (pushgateway_) add(all, pushgateway_->at_start(facts));
  if (catalogue_) add(all, to_catalogue(lineage_of_start(job_, lineage, facts)));
  send(std::move(all), kStartWithinMs);
} catch (const std::exception& error) {
  log().write(Level::warning, "not-announced", error.what());
}

void Announcements::ended(const Summary& summary, const Lineage* lineage) const noexcept try {
  std::vector<Announcement> all;
  if (ping_) add(all, ping_->at_end(summary));
  if (pushgateway_) add(all, pushgateway_->at_end(summary));
  if (catalogue_ && lineage != nullptr) {
    add(all, to_catalogue(lineage_of_end(job_, *lineage, summary)));
  }
  send(std::move(all), kEndWithinMs);
} catch (const std::exception& error) {
  log().write(Level::warning, "not-announced", error.what());
}

Announcement Announcements::to_catalogue(std::string event) const {
  Announcement announcement{"OpenLineage", *catalogue_};
  HttpRequest& request = announcement.request;
  request.headers.push_back({"Content-Type", "application/json"});
  if (!catalogue_key_.empty()) {
    request.headers.push_back({"Authorization", "Bearer " + std::string(catalogue_key_.reveal())});
  }
  request.body = std::move(event);
  return announcement;
}

void Announcements::send(std::vector<Announcement> all, std::int64_t within_ms) const {
  if (trace_) {
    for (Announcement& each : all) {
      each.request.headers.push_back({"traceparent", to_traceparent(*trace_)});
    }
  }
  deliver(all, within_ms);
}

}  // namespace sluice
