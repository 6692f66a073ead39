// SPDX-License-Identifier: Apache-2.0
// A Pushgateway keeps what a run that is over has measured, until Prometheus comes for it.
// https://github.com/prometheus/pushgateway
#pragma once

#include <optional>

#include "job/announce/delivery.h"
#include "job/http/url.h"
#include "job/pipeline/summary.h"

namespace sluice {

/// Each pipeline and worker is a group. A POST replaces the series of the names that it brings:
/// those of the last success outlive a failed run, which brings none, and those of the run before
/// outlive a start. Nothing for a run that could not read its pipeline: it has no group.
struct Pushgateway {
  Url url;

  std::optional<Announcement> at_start(const RunFacts& facts) const;
  std::optional<Announcement> at_end(const Summary& summary) const;
};

}  // namespace sluice
