// SPDX-License-Identifier: Apache-2.0
#include "job/queue/sqs_message.h"

#include <array>

#include "job/base/lone_surrogates.h"
#include "job/queue/body_digest.h"
#include "job/queue/sqs_json.h"

namespace sluice {
namespace {

namespace json = boost::json;

struct Spelling {
  std::string_view id, body, md5, system, attributes, type, text, binary;
};
constexpr Spelling kOfSqs = {"MessageId",         "Body",     "MD5OfBody",   "Attributes",
                             "MessageAttributes", "DataType", "StringValue", "BinaryValue"};
constexpr Spelling kOfLambda = {"messageId",         "body",     "md5OfBody",   "attributes",
                                "messageAttributes", "dataType", "stringValue", "binaryValue"};

const Spelling& spelling_of(const json::object& object) {
  return object.contains(kOfLambda.id) && !object.contains(kOfSqs.id) ? kOfLambda : kOfSqs;
}

/// What the values of a message of a kilobyte take; a larger one asks for more.
constexpr std::size_t kUsualMessage = 4 << 10;

/// What is wrong in there is told with where that is. A sender's own names are not repeated.
template <typename Read>
void within(std::string_view outer, bool with_name, Read read) {
  try {
    read();
  } catch (Foreign& foreign) {
    foreign.field = std::string(outer) + (with_name ? "." + foreign.field : "");
    throw;
  }
}

void read_system(const json::object& system, Message& message) {
  message.sent_ms = number_in<std::int64_t>(system, "SentTimestamp");
  if (message.sent_ms < 0 || message.sent_ms >= kEndOfDaysMs) {
    throw Foreign{{Reason::out_of_range, "outside the years 1970 to 2199"}, "SentTimestamp"};
  }
  if (member(system, kReceiveCount) != nullptr) {
    message.receive_count = number_in<std::uint32_t>(system, kReceiveCount);
  }
  message.sequence = text_in(system, "SequenceNumber");
  message.group = text_in(system, "MessageGroupId");
}

void read_attributes(const json::object& attributes, const Spelling& spelling, Message& message) {
  for (const auto& entry : attributes) {
    const json::object& attribute = object_of(entry.value());
    const std::string_view type = text_in(attribute, spelling.type);
    const std::string_view kind = type.starts_with("Binary") ? spelling.binary : spelling.text;
    message.attributes.push_back(
        {entry.key(), std::string(type), std::string(text_in(attribute, kind))});
  }
}

Message kept_message(const json::object& object, const json::object* other) {
  const Spelling& spelling = spelling_of(object);
  if (member(object, spelling.body) == nullptr) {
    throw Foreign{{Reason::missing_field, "is not there"}, std::string(spelling.body)};
  }
  Message message = message_of(object, other);
  if (is_damaged(object, message)) {
    throw Foreign{{Reason::bad_value, "is not that of the body"}, std::string(spelling.md5)};
  }
  return message;
}

}  // namespace

Message message_of(const json::object& object, const json::object* other) {
  const Spelling& spelling = spelling_of(object);
  Message message;
  message.id = needed_in(object, spelling.id);
  message.body = text_in(object, spelling.body);
  const json::object& system = object_in(object, spelling.system);
  within(spelling.system, true, [&] { read_system(system, message); });
  const json::object& attributes = object_in(object, spelling.attributes);
  within(spelling.attributes, false, [&] { read_attributes(attributes, spelling, message); });
  message.bad_encoding = other != nullptr && *other != object;
  return message;
}

bool is_damaged(const json::object& object, const Message& message) {
  return !message.bad_encoding &&
         !matches_md5(message.body, text_in(object, spelling_of(object).md5));
}

std::variant<Message, NoMessage> parse_kept_message(std::string_view text) {
  try {
    std::array<unsigned char, kUsualMessage> room;  // NOLINT(*-pro-type-member-init)
    json::monotonic_resource values(room.data(), room.size());
    json::error_code error;
    if (const json::value value = json::parse(text, error, &values); !error) {
      return kept_message(object_of(value), nullptr);
    }
    const json::value mended = parsed(without_lone_surrogates(text, "\\ufffd"));
    const json::value other = parsed(without_lone_surrogates(text, "\\ufffc"));
    return kept_message(object_of(mended), &object_of(other));
  } catch (const Foreign& foreign) {
    return NoMessage{foreign.rejection, foreign.field};
  }
}

}  // namespace sluice
