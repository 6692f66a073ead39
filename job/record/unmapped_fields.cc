// SPDX-License-Identifier: Apache-2.0
#include "job/record/unmapped_fields.h"

#include <algorithm>
#include <functional>

namespace sluice {

UnmappedFields::UnmappedFields(const Pipeline& pipeline) {
  const auto name = [this](const Source& source) {
    if (source.kind == Source::Kind::field && !source.path.empty() &&
        std::ranges::find(mapped_, source.path.front()) == mapped_.end()) {
      mapped_.push_back(source.path.front());
    }
  };
  for (const Table& table : pipeline.tables) {
    for (const Column& column : table.columns) {
      name(column.source);
      if (column.mask && column.mask->method == MaskMethod::sha256_salted) name(column.mask->salt);
    }
  }
}

void UnmappedFields::look(const Body& body) {
  met_ = 0;
  for (Body::Position key = Body::kTop + 1; key < body.end(Body::kTop); key = body.end(key + 1)) {
    if (unmapped_.size() == kMost) return;
    const std::string_view text = body.text(key);
    if (!is_mapped(text)) unmapped_.insert(std::hash<std::string_view>{}(text));
  }
}

/// A key stands in a body once: those that were met move to the front. As producers write the keys
/// of all their bodies in one order, each is soon met where it is looked for first.
bool UnmappedFields::is_mapped(std::string_view key) {
  const auto next = mapped_.begin() + met_;
  const auto found = std::find(next, mapped_.end(), key);
  if (found == mapped_.end()) return false;
  std::iter_swap(next, found);
  ++met_;
  return true;
}

}  // namespace sluice
