// SPDX-License-Identifier: Apache-2.0
// The summary as Prometheus metrics, for node_exporter's textfile collector.
#pragma once

#include <string>

#include "job/pipeline/summary.h"

namespace sluice {

/// Gauges in the text format, without timestamps: node_exporter drops a whole file that has one.
/// Only counts and names, never a value or an id of a message.
std::string to_metrics(const Summary& summary);

}  // namespace sluice
