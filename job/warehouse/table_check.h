// SPDX-License-Identifier: Apache-2.0
// Does a table of the pipeline file fit the real one? Asked before the first receive, so that no
// message meets a table that cannot take it.
#pragma once

#include <vector>

#include "job/base/finding.h"
#include "job/config/pipeline.h"
#include "job/warehouse/connection.h"

namespace sluice {

/// Everything that is wrong, or one finding that is ok.
std::vector<Finding> check_table(Connection& connection, const Table& table);

}  // namespace sluice
