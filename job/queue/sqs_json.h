// SPDX-License-Identifier: Apache-2.0
// Reading what SQS writes as JSON: members by name, and what is wrong with one that is not as it
// should be. For the sources of this folder.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/json.hpp>

#include "job/base/rejection.h"
#include "job/base/text.h"
#include "job/queue/queue.h"

namespace sluice {

/// Thrown and caught in one source: SQS does not write so.
struct Foreign {
  Rejection rejection = {Reason::not_json, "is not JSON"};
  std::string field = {};
};

inline boost::json::value parsed(std::string_view text, boost::json::storage_ptr storage = {}) {
  boost::json::error_code error;
  boost::json::value value = boost::json::parse(text, error, std::move(storage));
  if (error) throw Foreign();
  return value;
}

inline const boost::json::object& object_of(const boost::json::value& value) {
  if (!value.is_object()) throw Foreign{{Reason::not_an_object, "is not a JSON object"}};
  return value.get_object();
}

/// AWS leaves out what is empty; emulators send it, or null.
inline const boost::json::value* member(const boost::json::object& object, std::string_view key) {
  const boost::json::value* const value = object.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

/// Nothing when it is not there.
inline const boost::json::object& object_in(const boost::json::object& object,
                                            std::string_view key) {
  static const boost::json::object empty;
  const boost::json::value* const value = member(object, key);
  if (value == nullptr) return empty;
  if (!value->is_object()) {
    throw Foreign{{Reason::wrong_type, "expected an object"}, std::string(key)};
  }
  return value->get_object();
}

inline std::string_view text_in(const boost::json::object& object, std::string_view key) {
  const boost::json::value* const value = member(object, key);
  if (value == nullptr) return "";
  if (!value->is_string()) {
    throw Foreign{{Reason::wrong_type, "expected a string"}, std::string(key)};
  }
  return value->get_string();
}

inline std::string_view needed_in(const boost::json::object& object, std::string_view key) {
  const std::string_view text = text_in(object, key);
  if (text.empty()) throw Foreign{{Reason::missing_field, "is not there"}, std::string(key)};
  return text;
}

/// AWS writes numbers as texts; some policies and archives have them as numbers.
template <std::integral Integer>
Integer number_in(const boost::json::object& object, std::string_view key) {
  const boost::json::value* const value = member(object, key);
  if (value != nullptr && value->is_int64() && std::in_range<Integer>(value->get_int64())) {
    return static_cast<Integer>(value->get_int64());
  }
  const auto number = parse_integer<Integer>(needed_in(object, key));
  if (!number) throw Foreign{{Reason::bad_value, "expected an integer"}, std::string(key)};
  return *number;
}

inline constexpr std::string_view kReceiveCount = "ApproximateReceiveCount";

/// A message, without its receipt, of ReceiveMessage's answer. `other` is null, or the same object
/// with other stand-ins for its lone surrogates: where it differs the message had some.
Message message_of(const boost::json::object& object, const boost::json::object* other);
/// Its body is not the one that its MD5 is of, as far as can be told.
bool is_damaged(const boost::json::object& object, const Message& message);

}  // namespace sluice
