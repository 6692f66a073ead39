// SPDX-License-Identifier: Apache-2.0
#include "job/config/pipeline_shape.h"

#include <algorithm>
#include <vector>

#include "job/base/text.h"

namespace sluice {
namespace {

class Shape {
 public:
  explicit Shape(const std::string& path) : path_(path) {}
  void check_keys(const LocatedJson& value, const PipelineObject& object,
                  const std::string& where) const;

 private:
  using Json = LocatedJson;
  using Kind = PipelineKey::Kind;

  [[noreturn]] void refuse(int line, const std::string& problem, const std::string& hint) const {
    throw at_line(kPipelineFile, path_, line, problem, hint);
  }
  void check_kind(const Json& value, const PipelineKey& key) const;
  void check_choice(const Json& value, const PipelineKey& key) const;

  const std::string& path_;
};

void Shape::check_choice(const Json& value, const PipelineKey& key) const {
  if (key.choices.empty() || value.kind != Json::Kind::string) return;
  if (std::find(key.choices.begin(), key.choices.end(), value.text) != key.choices.end()) return;
  refuse(
      value.line,
      "'" + value.text + "' is no " + std::string(key.name) + did_you_mean(value.text, key.choices),
      "known: " + listed(key.choices));
}

void Shape::check_kind(const Json& value, const PipelineKey& key) const {
  const auto is = [&value](Json::Kind kind) { return value.kind == kind; };
  const auto all = [&value](Json::Kind kind) {
    return value.kind == Json::Kind::array && !value.items.empty() &&
           std::all_of(value.items.begin(), value.items.end(),
                       [kind](const Json& item) { return item.kind == kind; });
  };
  const auto expect = [&](bool holds, const char* expected) {
    if (!holds) {
      refuse(value.line, "'" + std::string(key.name) + "' must be " + expected,
             std::string(key.about));
    }
  };
  switch (key.kind) {
    case Kind::string:
      expect(is(Json::Kind::string) && !value.text.empty(), "a text that is not empty");
      break;
    case Kind::integer:
      expect(is(Json::Kind::number), "a whole number");
      break;
    case Kind::boolean:
      expect(is(Json::Kind::boolean), "true or false");
      break;
    case Kind::strings:
      expect(all(Json::Kind::string), "a list of texts that is not empty");
      break;
    case Kind::object:
      expect(is(Json::Kind::object), "an object");
      break;
    case Kind::objects:
      expect(all(Json::Kind::object), "a list of objects that is not empty");
      break;
    case Kind::string_or_object:
      expect(is(Json::Kind::string) || is(Json::Kind::object), "a text or an object");
      break;
  }
  check_choice(value, key);
  if (value.kind == Json::Kind::object) check_keys(value, *key.object, std::string(key.name));
  for (const Json& item : value.items) {
    if (item.kind == Json::Kind::object) check_keys(item, *key.object, std::string(key.name));
  }
}

void Shape::check_keys(const Json& value, const PipelineObject& object,
                       const std::string& where) const {
  std::vector<std::string_view> known;
  for (const PipelineKey& key : object.keys) known.push_back(key.name);
  for (const Json::Member& member : value.members) {
    const auto key = std::find_if(object.keys.begin(), object.keys.end(),
                                  [&](const PipelineKey& each) { return each.name == member.key; });
    if (key == object.keys.end()) {
      refuse(member.line,
             "unknown key '" + member.key + "' in " + where + did_you_mean(member.key, known),
             "known: " + listed(known));
    }
    check_kind(member.value, *key);
  }
  for (const PipelineKey& key : object.keys) {
    if (key.required && value.find(key.name) == nullptr) {
      refuse(value.line, where + " lacks '" + std::string(key.name) + "'", std::string(key.about));
    }
  }
}

}  // namespace

void check_shape(const LocatedJson& root, const PipelineObject& object, const std::string& path) {
  Shape(path).check_keys(root, object, "the pipeline file");
}

}  // namespace sluice
