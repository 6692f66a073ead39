// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sandbox_shapes.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <vector>

#include <boost/json.hpp>

#include "tests/support/sandbox_refusal.h"

namespace sluice {
namespace {

namespace json = boost::json;

enum class Kind { text, number, list, map, queue_attributes, system_attributes, names };

struct Field {
  std::string_view name;
  Kind kind;
  bool required;
  std::int64_t least;  // of a number; else of its length
  std::int64_t most;
};
using Shape = std::vector<Field>;

struct Operation {
  std::string_view name;
  Shape request;
  Shape entry;
};

constexpr Field kQueueUrl{"QueueUrl", Kind::text, true, 1, 2048};
constexpr Field kEntries{"Entries", Kind::list, true, 0, 1 << 20};
constexpr Field kId{"Id", Kind::text, true, 0, 4096};
constexpr Field kReceipt{"ReceiptHandle", Kind::text, true, 1, 4096};
constexpr Field kBody{"MessageBody", Kind::text, true, 1, kLargestMessage};
constexpr Field kDelay{"DelaySeconds", Kind::number, false, 0, 900};
constexpr Field kAttributes{"MessageAttributes", Kind::map, false, 0, 10};
constexpr Field kDeduplication{"MessageDeduplicationId", Kind::text, false, 1, 128};
constexpr Field kGroup{"MessageGroupId", Kind::text, false, 1, 128};
constexpr Field visibility(bool required) {
  return {"VisibilityTimeout", Kind::number, required, 0, 43200};
}

const std::vector<Operation>& operations() {
  static const std::vector<Operation> known = {
      {"ReceiveMessage",
       {kQueueUrl,
        {"MaxNumberOfMessages", Kind::number, false, 1, 10},
        {"WaitTimeSeconds", Kind::number, false, 0, 20},
        visibility(false),
        {"MessageSystemAttributeNames", Kind::system_attributes, false, 0, 20},
        {"AttributeNames", Kind::system_attributes, false, 0, 20},
        {"MessageAttributeNames", Kind::names, false, 0, 20},
        {"ReceiveRequestAttemptId", Kind::text, false, 1, 128}},
       {}},
      {"DeleteMessage", {kQueueUrl, kReceipt}, {}},
      {"DeleteMessageBatch", {kQueueUrl, kEntries}, {kId, kReceipt}},
      {"ChangeMessageVisibility", {kQueueUrl, kReceipt, visibility(true)}, {}},
      {"ChangeMessageVisibilityBatch", {kQueueUrl, kEntries}, {kId, kReceipt, visibility(false)}},
      {"SendMessage", {kQueueUrl, kBody, kDelay, kAttributes, kDeduplication, kGroup}, {}},
      {"SendMessageBatch",
       {kQueueUrl, kEntries},
       {kId, kBody, kDelay, kAttributes, kDeduplication, kGroup}},
      {"GetQueueUrl",
       {{"QueueName", Kind::text, true, 1, 80},
        {"QueueOwnerAWSAccountId", Kind::text, false, 12, 12}},
       {}},
      {"GetQueueAttributes",
       {kQueueUrl, {"AttributeNames", Kind::queue_attributes, false, 0, 30}},
       {}},
  };
  return known;
}

constexpr std::array<std::string_view, 22> kQueueAttributes = {
    "All",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
    "VisibilityTimeout",
    "QueueArn",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "MaximumMessageSize",
    "Policy",
    "MessageRetentionPeriod",
    "DelaySeconds",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    "RedriveAllowPolicy",
    "FifoQueue",
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoThroughputLimit",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "SqsManagedSseEnabled"};
constexpr std::array<std::string_view, 10> kSystemAttributes = {"All",
                                                                "ApproximateReceiveCount",
                                                                "SentTimestamp",
                                                                "ApproximateFirstReceiveTimestamp",
                                                                "SenderId",
                                                                "MessageGroupId",
                                                                "SequenceNumber",
                                                                "MessageDeduplicationId",
                                                                "AWSTraceHeader",
                                                                "DeadLetterQueueSourceArn"};

[[noreturn]] void refuse(std::string code, std::string_view where, const std::string& what) {
  throw SandboxRefusal(std::move(code), std::string(where) + ": " + what);
}

void check_names(const json::array& names, Kind kind, std::string_view where) {
  for (const json::value& name : names) {
    if (!name.is_string()) refuse("SerializationException", where, "a name is no string");
    const std::span<const std::string_view> known =
        kind == Kind::queue_attributes ? std::span<const std::string_view>(kQueueAttributes)
                                       : std::span<const std::string_view>(kSystemAttributes);
    if (kind != Kind::names &&
        std::ranges::find(known, std::string_view(name.get_string())) == known.end()) {
      refuse("InvalidAttributeName", where, "unknown attribute " + std::string(name.get_string()));
    }
  }
}

void check_attributes(const json::object& attributes, std::string_view where) {
  for (const auto& [name, attribute] : attributes) {
    const json::object* held = attribute.if_object();
    const json::value* type = held != nullptr ? held->if_contains("DataType") : nullptr;
    if (type == nullptr || !type->is_string())
      refuse("InvalidParameterValue", where, "an attribute without DataType");
    const bool binary = type->get_string().starts_with("Binary");
    const json::value* value = held->if_contains(binary ? "BinaryValue" : "StringValue");
    if (held->size() != 2 || value == nullptr || !value->is_string() ||
        value->get_string().empty()) {
      refuse("InvalidParameterValue", where, "an attribute without the one value of its type");
    }
  }
}

/// The size by which a field's range is meant, having checked the type.
std::int64_t checked_size(const Field& field, const json::value& value, std::string_view where) {
  const auto expect = [&](bool right) {
    if (!right)
      refuse("SerializationException", where, std::string(field.name) + " has the wrong type");
  };
  switch (field.kind) {
    case Kind::number:
      expect(value.is_int64());
      return value.get_int64();
    case Kind::text:
      expect(value.is_string());
      return static_cast<std::int64_t>(value.get_string().size());
    case Kind::map:
      expect(value.is_object());
      check_attributes(value.get_object(), where);
      return static_cast<std::int64_t>(value.get_object().size());
    default:
      expect(value.is_array());
      if (field.kind != Kind::list) check_names(value.get_array(), field.kind, where);
      return static_cast<std::int64_t>(value.get_array().size());
  }
}

void check_shape(const Shape& shape, const json::object& object, std::string_view where) {
  for (const auto& member : object) {
    const std::string_view key = member.key();
    if (std::ranges::find(shape, key, &Field::name) == shape.end()) {
      refuse("UnknownParameter", where, "unknown field " + std::string(key));
    }
  }
  for (const Field& field : shape) {
    const std::string name(field.name);
    const json::value* value = object.if_contains(name);
    if (value == nullptr) {
      if (field.required) refuse("MissingParameter", where, "lacks " + name);
      continue;
    }
    const std::int64_t size = checked_size(field, *value, where);
    if (size < field.least || size > field.most) {
      refuse("InvalidParameterValue", where,
             name + " must be within " + std::to_string(field.least) + " to " +
                 std::to_string(field.most));
    }
  }
}

bool is_entry_id(std::string_view id) {
  return !id.empty() && id.size() <= 80 && std::ranges::all_of(id, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_';
  });
}

/// SQS counts the body, and of each attribute its name, type and value.
std::size_t message_bytes(const json::object& entry) {
  const json::value* const body = entry.if_contains("MessageBody");
  std::size_t bytes = body == nullptr ? 0 : body->get_string().size();
  const json::value* const attributes = entry.if_contains("MessageAttributes");
  for (const auto& [name, attribute] :
       attributes == nullptr ? json::object() : attributes->get_object()) {
    bytes += name.size();
    for (const auto& part : attribute.get_object()) bytes += part.value().get_string().size();
  }
  return bytes;
}

void check_batch(const Shape& shape, const json::array& entries, std::string_view where) {
  // None to send is a question for the right to send, which is refused where it is served.
  if (entries.empty() && where != "SendMessageBatch") {
    refuse("EmptyBatchRequest", where, "there must be at least one entry");
  }
  if (entries.size() > 10) refuse("TooManyEntriesInBatchRequest", where, "at most 10 entries");
  std::set<std::string_view> ids;
  std::size_t bytes = 0;
  for (const json::value& value : entries) {
    if (!value.is_object()) refuse("SerializationException", where, "an entry is no object");
    const json::object& entry = value.get_object();
    check_shape(shape, entry, where);
    const std::string_view id = entry.at("Id").get_string();
    if (!is_entry_id(id))
      refuse("InvalidBatchEntryId", where, "an id may hold letters, digits, - and _");
    if (!ids.insert(id).second) refuse("BatchEntryIdsNotDistinct", where, "ids must be distinct");
    bytes += message_bytes(entry);
  }
  if (bytes > kLargestMessage) refuse("BatchRequestTooLong", where, "more than 1 MiB in all");
}

}  // namespace

bool is_operation(std::string_view name) {
  return std::ranges::find(operations(), name, &Operation::name) != operations().end();
}

void check_request(std::string_view operation, const json::object& request) {
  const Operation& known = *std::ranges::find(operations(), operation, &Operation::name);
  check_shape(known.request, request, operation);
  if (message_bytes(request) > kLargestMessage) {
    refuse("InvalidParameterValue", operation, "a message of more than 1 MiB");
  }
  if (!known.entry.empty()) check_batch(known.entry, request.at("Entries").get_array(), operation);
}

}  // namespace sluice
