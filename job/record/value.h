// SPDX-License-Identifier: Apache-2.0
// What a column reads: a value of the body, or a fact about the message.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "job/config/pipeline.h"
#include "job/queue/queue.h"
#include "job/record/decode.h"
#include "job/record/sns_envelope.h"

namespace sluice {

struct Value {
  enum class Kind { missing, null, boolean, number, string, composite, instant };
  Kind kind = Kind::missing;
  bool truth = false;
  /// Of a string: unescaped, without U+0000. Of a number: a literal as JSON writes it.
  std::string_view text = {};
  /// Of an instant: microseconds since 1970 UTC, in the years 0001 to 9999.
  std::int64_t us = 0;
  /// Of a composite, an array or object: where it is.
  const Body* body = nullptr;
  Body::Position at = Body::kTop;

  bool is_absent() const { return kind == Kind::missing || kind == Kind::null; }
};

/// What columns are read from.
struct Record {
  const Body& body;
  const Message& message;
  /// What the body lay in, if it did: its attributes are the message's then, not those of SQS.
  const SnsEnvelope* envelope = nullptr;
};

/// Reads a column's source. The value views into the record or `scratch`. Rejects text that
/// Postgres could not keep.
[[nodiscard]] MaybeRejection read(const Source& source, const Record& record, Value& value,
                                  std::string& scratch);

/// Carries out a column's `as`. A value that is absent stays absent; what is made views into
/// `scratch`.
[[nodiscard]] MaybeRejection convert(As as, Value& value, std::string& scratch);

}  // namespace sluice
