// SPDX-License-Identifier: Apache-2.0
// The JSON that SNS puts around a message unless the subscription asks for raw delivery (Amazon
// SNS Developer Guide, "Parsing Amazon SNS message formats").
#pragma once

#include <optional>
#include <string_view>

#include "job/base/rejection.h"
#include "job/record/decode.h"

namespace sluice {

/// Memory is reused from one body to the next. What is told views into it.
class SnsEnvelope {
 public:
  /// Refuses what a body with an envelope may not be, by the rules for every body. A body that is
  /// no envelope is fine, and leaves nothing open: it was delivered raw.
  [[nodiscard]] MaybeRejection open(std::string_view body);
  /// The envelope's key at fault, when there is one.
  std::string_view field() const { return field_; }

  bool is_open() const { return message_.has_value(); }
  std::string_view message() const { return *message_; }

  struct Attribute {
    std::string_view type;  // as of SQS's own: begins with "String", "Number" or "Binary"
    std::string_view value;
  };
  std::optional<Attribute> attribute(std::string_view name) const;

 private:
  std::optional<std::string_view> string_at(Body::Position object, std::string_view key) const;
  std::optional<Attribute> attribute_at(Body::Position at) const;
  Rejection refuse(std::string_view field, Reason reason, const char* detail);
  MaybeRejection check_attributes();

  Body body_;
  std::optional<std::string_view> message_;
  std::string_view field_;
};

}  // namespace sluice
