// SPDX-License-Identifier: Apache-2.0
#include "job/record/sns_envelope.h"

namespace sluice {
namespace {

constexpr std::string_view kType = "Type";
constexpr std::string_view kMessage = "Message";
constexpr std::string_view kAttributes = "MessageAttributes";

/// What is no object needs no look: it may be base64, or text that the next step refuses.
bool may_be_object(std::string_view json) {
  const std::size_t first = json.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && json[first] == '{';
}

}  // namespace

MaybeRejection SnsEnvelope::open(std::string_view body) {
  message_.reset();
  field_ = {};
  if (!may_be_object(body)) return std::nullopt;
  if (auto fault = body_.decode(body)) return fault;
  const auto type = string_at(Body::kTop, kType);
  const bool of_sns = string_at(Body::kTop, "TopicArn") || string_at(Body::kTop, "MessageId");
  if (!type || !of_sns) return std::nullopt;
  if (type == "SubscriptionConfirmation" || type == "UnsubscribeConfirmation") {
    return refuse(kType, Reason::bad_value, "a confirmation of SNS, which is no message");
  }
  if (type != "Notification") return std::nullopt;
  const auto message = body_.member(Body::kTop, kMessage);
  if (!message) return refuse(kMessage, Reason::missing_field, "is not in the envelope of SNS");
  if (body_.kind(*message) != Body::Kind::string) {
    return refuse(kMessage, Reason::wrong_type, "expected a string in the envelope of SNS");
  }
  if (auto fault = check_attributes()) return fault;
  message_ = body_.text(*message);
  return std::nullopt;
}

std::optional<SnsEnvelope::Attribute> SnsEnvelope::attribute(std::string_view name) const {
  const auto attributes = body_.member(Body::kTop, kAttributes);
  const auto at = attributes ? body_.member(*attributes, name) : std::nullopt;
  return at ? attribute_at(*at) : std::nullopt;
}

MaybeRejection SnsEnvelope::check_attributes() {
  const auto attributes = body_.member(Body::kTop, kAttributes);
  if (!attributes) return std::nullopt;
  bool well_formed = body_.kind(*attributes) == Body::Kind::object;
  for (Body::Position key = *attributes + 1; well_formed && key < body_.end(*attributes);
       key = body_.end(key + 1)) {
    well_formed = attribute_at(key + 1).has_value();
  }
  if (well_formed) return std::nullopt;
  return refuse(kAttributes, Reason::wrong_type,
                "expected objects with the strings Type and Value");
}

std::optional<SnsEnvelope::Attribute> SnsEnvelope::attribute_at(Body::Position at) const {
  if (body_.kind(at) != Body::Kind::object) return std::nullopt;
  const auto type = string_at(at, kType);
  const auto value = string_at(at, "Value");
  if (!type || !value) return std::nullopt;
  return Attribute{*type, *value};
}

std::optional<std::string_view> SnsEnvelope::string_at(Body::Position object,
                                                       std::string_view key) const {
  const auto at = body_.member(object, key);
  if (!at || body_.kind(*at) != Body::Kind::string) return std::nullopt;
  return body_.text(*at);
}

Rejection SnsEnvelope::refuse(std::string_view field, Reason reason, const char* detail) {
  field_ = field;
  return {reason, detail};
}

}  // namespace sluice
