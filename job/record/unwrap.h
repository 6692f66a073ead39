// SPDX-License-Identifier: Apache-2.0
// From a message's body to its JSON, out of what the pipeline says lies around it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "job/base/rejection.h"
#include "job/config/pipeline.h"
#include "job/record/gunzip.h"
#include "job/record/sns_envelope.h"

namespace sluice {

/// SNS's envelope lies outside, the encoding inside it: a producer encodes, then publishes. Memory
/// is reused from one body to the next and wiped in the end.
class Unwrapper {
 public:
  explicit Unwrapper(const Pipeline& pipeline);
  ~Unwrapper();
  Unwrapper(const Unwrapper&) = delete;
  Unwrapper& operator=(const Unwrapper&) = delete;

  [[nodiscard]] MaybeRejection unwrap(std::string_view body);
  /// The key of the envelope that a rejection is about, when it is about one.
  std::string_view field() const { return envelope_.field(); }

  /// Not decoded yet. Views into the body or in here; good until the next.
  std::string_view json() const { return json_; }
  /// Null when the body lay in none.
  const SnsEnvelope* envelope() const { return envelope_.is_open() ? &envelope_ : nullptr; }

 private:
  MaybeRejection decode();

  bool unwraps_sns_;
  Encoding encoding_;
  SnsEnvelope envelope_;
  std::string bytes_;  // of base64
  std::optional<Gunzip> gunzip_;
  std::string_view json_;
};

}  // namespace sluice
