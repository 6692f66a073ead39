// SPDX-License-Identifier: Apache-2.0
// The summary as Prometheus metrics, for node_exporter's textfile collector: gauges in the text
// format, without timestamps (node_exporter drops a whole file that has one). Only counts and
// names, never a value or an id of a message. Each series names its pipeline and worker: two files
// in one folder must not have the same.
#pragma once

#include <string>
#include <string_view>

#include "job/pipeline/summary.h"

namespace sluice {

/// Of the last run. What it did not learn is NaN, which no alert takes for a number. Help texts
/// stay as they are: of two files that differ in one, such as those of two versions side by side,
/// node_exporter drops the series of one (1.5, tried).
std::string to_metrics(const Summary& summary);
/// Of the last run that succeeded: a file of its own, which a failed run leaves alone.
std::string to_success_metrics(const Summary& summary);

/// What a run that begins writes: the metrics of the run before it, `previous`, with a new start. A
/// start after the last completion is a run that is under way, or was killed.
std::string with_start(std::string_view previous, const RunFacts& facts);

}  // namespace sluice
