// SPDX-License-Identifier: Apache-2.0
#include "job/announce/pushgateway.h"

#include "job/pipeline/metrics.h"

namespace sluice {
namespace {

std::optional<Announcement> push(const Url& gateway, const RunFacts& facts, std::string metrics) {
  if (facts.pipeline.empty()) return std::nullopt;
  Announcement announcement{"Pushgateway", gateway};
  HttpRequest& request = announcement.request;
  if (request.path.ends_with('/')) request.path.pop_back();
  // Neither name holds anything that a path would have to escape.
  request.path += "/metrics/job/sluice/pipeline/" + facts.pipeline + "/worker/" + facts.worker;
  request.headers.push_back({"Content-Type", "text/plain; version=0.0.4"});
  request.body = std::move(metrics);
  return announcement;
}

}  // namespace

std::optional<Announcement> Pushgateway::at_start(const RunFacts& facts) const {
  return push(url, facts, with_start("", facts));
}

std::optional<Announcement> Pushgateway::at_end(const Summary& summary) const {
  std::string metrics = to_metrics(summary);
  if (summary.succeeded()) metrics += to_success_metrics(summary);
  return push(url, summary.facts, std::move(metrics));
}

}  // namespace sluice
