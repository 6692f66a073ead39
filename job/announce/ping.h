// SPDX-License-Identifier: Apache-2.0
// Dead-man pings: calls to a service that raises an alarm when they stay away.
#pragma once

#include <optional>
#include <string>

#include "job/announce/delivery.h"
#include "job/http/url.h"
#include "job/pipeline/summary.h"

namespace sluice {

/// A plain service knows one address and takes any call to it for a sign of life: it is called when
/// a run went well and at no other time. healthchecks.io, and what speaks its language, is told of
/// the start and of failures as well: https://healthchecks.io/docs/http_api/
enum class PingStyle { plain, healthchecks };

struct Ping {
  Url url;  // whoever knows it can silence the alarm
  PingStyle style = PingStyle::plain;

  std::optional<Announcement> at_start(const std::string& run_id) const;
  /// A run that was skipped because another holds the checkpoint says nothing: the other may hang.
  std::optional<Announcement> at_end(const Summary& summary) const;
};

}  // namespace sluice
