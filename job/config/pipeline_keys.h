// SPDX-License-Identifier: Apache-2.0
// The one table of the pipeline file's keys. The parser and the JSON Schema are both made from it.
#pragma once

#include <span>
#include <string_view>

namespace sluice {

struct PipelineObject;

struct PipelineKey {
  enum class Kind { string, integer, boolean, strings, object, objects, string_or_object };
  std::string_view name;
  Kind kind;
  bool required;
  std::string_view about;
  std::span<const std::string_view> choices = {};  // of a string; empty: any
  const PipelineObject* object = nullptr;          // of an object, or of each of `objects`
};

struct PipelineObject {
  std::span<const PipelineKey> keys;
};

const PipelineObject& pipeline_keys();

}  // namespace sluice
