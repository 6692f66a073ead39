// SPDX-License-Identifier: Apache-2.0
// Does a pipeline file have the shape that its table of keys demands?
#pragma once

#include <string>
#include <string_view>

#include "job/config/located_json.h"
#include "job/config/pipeline_keys.h"

namespace sluice {

/// How messages name the file.
inline constexpr std::string_view kPipelineFile = "pipeline file";

/// Failure{configuration} with line and "did you mean" for an unknown key, a key that lacks, a
/// value of another kind or none of its choices.
void check_shape(const LocatedJson& root, const PipelineObject& object, const std::string& path);

}  // namespace sluice
