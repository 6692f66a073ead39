// SPDX-License-Identifier: Apache-2.0
// The runs and the rejections of one pipeline over a period, for a picture of them. As JSON, which
// Postgres writes, and bounded however many there are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "job/warehouse/connection.h"

namespace sluice {

/// [since, until) of what began, or was rejected, then.
struct Period {
  std::string pipeline;
  std::optional<std::int64_t> since_ms;
  std::optional<std::int64_t> until_ms;
};

/// One object, as of one moment. A run's state is one of ok, skipped, rejections (more than its
/// threshold), interrupted, failed, unfinished (it runs, or it was killed). What no run told is
/// null.
/// - totals: of all runs, by state, their counts of messages and seconds; what the last one saw.
/// - points: the same in the order of time. With bucket_s 0 each is one run; with more than
///   kMostPoints runs it is those that began in the same bucket_s seconds.
/// - workers: the same for those that loaded most; worker_count: of all.
/// - reasons: rejections by reason, field and sqlstate, the most frequent first.
/// - days: rejections by time and reason, in buckets of day_s, which is whole days of UTC.
std::string run_history(Connection& connection, const Period& period);

inline constexpr int kMostPoints = 1000;

/// The least of the round widths, from `least_s` on, which cut [first, last] into at most `most`
/// buckets whose edges are multiples of it since 1970.
std::int64_t bucket_seconds(std::int64_t first_ms, std::int64_t last_ms, int most,
                            std::int64_t least_s);

}  // namespace sluice
