// SPDX-License-Identifier: Apache-2.0
// sluice.rejected_message inside a load: what the pipeline rejected, and what Postgres refused.
#pragma once

#include <string>
#include <vector>

#include "job/warehouse/load.h"
#include "job/warehouse/target.h"

namespace sluice {

void copy_rejections(Connection& connection, const std::string& pipeline, const Messages& rejected,
                     const std::vector<Refusal>& refused, const Sealer& seal);

}  // namespace sluice
