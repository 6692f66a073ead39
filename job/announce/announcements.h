// SPDX-License-Identifier: Apache-2.0
// What a run tells others on its way: dead-man pings, lineage, metrics for a Pushgateway. All of it
// best effort: it takes bounded time, fails with a warning, and changes nothing.
#pragma once

#include <optional>
#include <string>

#include "job/announce/lineage.h"
#include "job/announce/ping.h"
#include "job/announce/pushgateway.h"
#include "job/announce/trace_context.h"
#include "job/base/environment.h"
#include "job/base/secret.h"
#include "job/config/options.h"

namespace sluice {

/// Nothing in it changes, so that any thread may use it at any time.
class Announcements {
 public:
  /// Whom to tell: --ping-url, --pushgateway, and the OPENLINEAGE_ variables, which are those of
  /// OpenLineage's own clients. Failure{usage} when an address of ours is none; one of
  /// OPENLINEAGE_URL, which others may have set for many programs, is warned of.
  Announcements(const Settings& settings, const Environment& environment);

  /// Of TRACEPARENT, with a span of our own.
  const std::optional<TraceContext>& trace() const { return trace_; }

  /// Before the first message. Within a second, so that a service that hangs costs a run no more.
  void started(const RunFacts& facts, const Lineage& lineage) const noexcept;
  /// After all else is done. `lineage` is null when there was no start. Within 5 s, or a second
  /// when the run was told to stop.
  void ended(const Summary& summary, const Lineage* lineage) const noexcept;

 private:
  void take_lineage(const Environment& environment);
  Announcement to_catalogue(std::string event) const;
  void send(std::vector<Announcement> all, std::int64_t within_ms) const;

  std::optional<Ping> ping_;
  std::optional<Pushgateway> pushgateway_;
  std::optional<Url> catalogue_;  // with the whole path
  Secret catalogue_key_;
  LineageJob job_;
  std::optional<TraceContext> trace_;
};

}  // namespace sluice
