// SPDX-License-Identifier: Apache-2.0
// What a status is gathered from. Each part sets its keys whole, or throws a Failure and sets none.
#pragma once

#include <string>

#include <boost/json.hpp>

#include "checkpoint/glance.h"
#include "job/queue/sqs_queue.h"

namespace sluice {

/// "runs" and "rejections".
void add_postgres(const std::string& conninfo, const std::string& pipeline, int runs,
                  boost::json::object& status);

/// Failure{configuration} when it cannot be read, or is another pipeline's. One that the next run
/// replaces has its trouble told.
CheckpointGlance glance_of(const std::string& path, const std::string& pipeline);
/// "checkpoint", and "backfill" of the same form.
boost::json::object to_json(const std::string& path, const CheckpointGlance& glance);

/// "queue".
void add_queue(SqsQueue& queue, boost::json::object& status);

}  // namespace sluice
