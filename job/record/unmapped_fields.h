// SPDX-License-Identifier: Apache-2.0
// What producers send and no column takes: a field that was added, and nobody told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <boost/unordered/unordered_flat_set.hpp>

#include "job/config/pipeline.h"
#include "job/record/decode.h"

namespace sluice {

/// Counts the top-level keys of bodies that the pipeline does not name. A key may be personal data
/// itself: only its hash is kept, and only here.
class UnmappedFields {
 public:
  /// More are not told apart: keys that are data, such as user ids, would be without end.
  static constexpr std::size_t kMost = 100;

  explicit UnmappedFields(const Pipeline& pipeline);

  void look(const Body& body);
  /// Distinct ones so far.
  std::size_t count() const { return unmapped_.size(); }

 private:
  bool is_mapped(std::string_view key);

  std::vector<std::string> mapped_;
  std::ptrdiff_t met_ = 0;  // the first of `mapped_`, in this body
  boost::unordered_flat_set<std::size_t> unmapped_;
};

}  // namespace sluice
