// SPDX-License-Identifier: Apache-2.0
// sluice.rejected_message inside a load: what the pipeline rejected, and what Postgres refused.
#pragma once

#include <vector>

#include "job/warehouse/load.h"
#include "job/warehouse/target.h"

namespace sluice {

void copy_rejections(Connection& connection, const Loader& loader, const Messages& rejected,
                     const std::vector<Refusal>& refused);

}  // namespace sluice
