// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>

#include "job/config/pipeline_file.h"
#include "job/config/pipeline_keys.h"

namespace sluice {
namespace {

using Kind = PipelineKey::Kind;

boost::json::object schema_of(const PipelineObject& object);

boost::json::object schema_of(const PipelineKey& key) {
  boost::json::object text{{"type", "string"}};
  if (!key.choices.empty()) {
    boost::json::array words;
    for (const std::string_view word : key.choices) words.emplace_back(word);
    text["enum"] = words;
  }
  boost::json::object schema;
  switch (key.kind) {
    case Kind::string:
      schema = text;
      break;
    case Kind::integer:
      schema["type"] = "integer";
      break;
    case Kind::boolean:
      schema["type"] = "boolean";
      break;
    case Kind::strings:
      schema = {{"type", "array"}, {"minItems", 1}, {"items", {{"type", "string"}}}};
      break;
    case Kind::object:
      schema = schema_of(*key.object);
      break;
    case Kind::objects:
      schema = {{"type", "array"}, {"minItems", 1}, {"items", schema_of(*key.object)}};
      break;
    case Kind::string_or_object:
      schema["oneOf"] = boost::json::array{text, schema_of(*key.object)};
      break;
  }
  schema["description"] = key.about;
  if (key.name == "version") schema["const"] = 1;
  if (key.name == "name") schema["minLength"] = 1;
  return schema;
}

boost::json::object schema_of(const PipelineObject& object) {
  boost::json::object properties;
  boost::json::array required;
  for (const PipelineKey& key : object.keys) {
    properties[key.name] = schema_of(key);
    if (key.required) required.emplace_back(key.name);
  }
  boost::json::object schema{{"type", "object"}, {"additionalProperties", false}};
  schema["properties"] = properties;
  if (!required.empty()) schema["required"] = required;
  return schema;
}

}  // namespace

std::string pipeline_schema() {
  boost::json::object schema{{"$schema", "http://json-schema.org/draft-07/schema#"},
                             {"title", "sluice pipeline file"}};
  for (auto& member : schema_of(pipeline_keys())) schema[member.key()] = member.value();
  return boost::json::serialize(schema);
}

}  // namespace sluice
