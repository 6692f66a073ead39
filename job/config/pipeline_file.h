// SPDX-License-Identifier: Apache-2.0
// The pipeline file: JSON with comments, one file, one pipeline.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "job/config/pipeline.h"

namespace sluice {

/// Failure{configuration} with file, line and "did you mean" for whatever the file says that is not
/// understood.
Pipeline read_pipeline(const std::string& path);
Pipeline parse_pipeline(std::string_view text, const std::string& path);

/// What is allowed and yet unwise, a sentence each: masks that anybody can guess.
std::vector<std::string> warnings_of(const Pipeline& pipeline);

/// JSON Schema (draft-07) of the file, from the same table that the parser obeys.
std::string pipeline_schema();

}  // namespace sluice
