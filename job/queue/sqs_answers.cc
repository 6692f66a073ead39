// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <utility>

#include <boost/json.hpp>

#include "job/base/lone_surrogates.h"
#include "job/queue/sqs_json.h"
#include "job/queue/sqs_wire.h"

namespace sluice {
namespace {

namespace json = boost::json;
using sluice::number_in;  // of JSON; that of Attributes is below

template <typename Parse>
auto unless_foreign(Parse parse) -> std::optional<decltype(parse())> {
  try {
    return parse();
  } catch (const Foreign&) {
    return std::nullopt;
  }
}

const json::array& array_in(const json::object& object, std::string_view key) {
  static const json::array empty;
  const json::value* const value = member(object, key);
  if (value == nullptr) return empty;
  if (!value->is_array()) throw Foreign();
  return value->get_array();
}

std::string_view text_in(const Attributes& attributes, std::string_view key) {
  const auto at = attributes.find(key);
  return at == attributes.end() ? std::string_view() : at->second;
}

/// What the values of ten messages of a kilobyte take; larger answers ask for more.
constexpr std::size_t kUsualAnswer = 32 << 10;

template <typename Integer>
Integer number_in(const Attributes& attributes, std::string_view key) {
  const auto number = parse_integer<Integer>(text_in(attributes, key));
  if (!number) throw Foreign();
  return *number;
}

/// `other` is null, or the same answer with other stand-ins for its lone surrogates.
ReceiveAnswer received(const json::object& answer, const json::object* other) {
  ReceiveAnswer out;
  const json::array& messages = array_in(answer, "Messages");
  out.messages.reserve(messages.size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const json::object& object = object_of(messages[i]);
    Message message =
        message_of(object, other ? &object_of(array_in(*other, "Messages").at(i)) : nullptr);
    needed_in(object_in(object, "Attributes"), kReceiveCount);
    message.receipt = needed_in(object, "ReceiptHandle");
    if (is_damaged(object, message)) {
      out.damaged_handles.push_back(std::move(message.receipt));
    } else {
      out.messages.push_back(std::move(message));
    }
  }
  return out;
}

std::size_t position_in(const json::object& entry, std::size_t entries) {
  const auto position = number_in<std::size_t>(entry, "Id");
  if (position >= entries) throw Foreign();
  return position;
}

/// "com.amazonaws.sqs#QueueDoesNotExist:http://…" and
/// "AWS.SimpleQueueService.NonExistentQueue;Sender"
std::string plain_code(std::string_view code) {
  constexpr std::string_view kQueryPrefix = "AWS.SimpleQueueService.";
  code = code.substr(0, code.find(';'));
  if (const std::size_t hash = code.find('#'); hash != std::string_view::npos) {
    code.remove_prefix(hash + 1);
  }
  code = code.substr(0, code.find(':'));
  if (code.starts_with(kQueryPrefix)) code.remove_prefix(kQueryPrefix.size());
  return code == "NonExistentQueue" ? "QueueDoesNotExist" : std::string(code);
}

}  // namespace

std::optional<ReceiveAnswer> parse_received(std::string_view body) {
  return unless_foreign([&] {
    // Ten messages are a few hundred values: made one behind the other, dropped at once.
    std::array<unsigned char, kUsualAnswer> room;  // NOLINT(*-pro-type-member-init)
    json::monotonic_resource values(room.data(), room.size());
    json::error_code error;
    if (const json::value answer = json::parse(body, error, &values); !error) {
      return received(object_of(answer), nullptr);
    }
    const json::value mended = parsed(without_lone_surrogates(body, "\\ufffd"));
    const json::value other = parsed(without_lone_surrogates(body, "\\ufffc"));
    return received(object_of(mended), &object_of(other));
  });
}

std::optional<std::vector<EntryResult>> parse_batch(std::string_view body, std::size_t entries) {
  return unless_foreign([&] {
    std::array<unsigned char, kUsualAnswer / 8> room;  // NOLINT(*-pro-type-member-init)
    json::monotonic_resource values(room.data(), room.size());
    const json::value answer = parsed(body, &values);
    std::vector<EntryResult> results(entries,
                                     {.done = false, .sender_fault = false, .code = "NotAnswered"});
    for (const json::value& entry : array_in(object_of(answer), "Successful")) {
      results[position_in(object_of(entry), entries)] = {
          .done = true, .sender_fault = false, .code = ""};
    }
    for (const json::value& entry : array_in(object_of(answer), "Failed")) {
      const json::object& failed = object_of(entry);
      const json::value* const fault = member(failed, "SenderFault");
      results[position_in(failed, entries)] = {
          .done = false,
          .sender_fault = fault != nullptr && fault->is_bool() && fault->get_bool(),
          .code = plain_code(text_in(failed, "Code"))};
    }
    return results;
  });
}

std::optional<std::string> parse_queue_url(std::string_view body) {
  return unless_foreign([&] {
    const json::value answer = parsed(body);
    return std::string(needed_in(object_of(answer), "QueueUrl"));
  });
}

std::optional<Attributes> parse_attributes(std::string_view body) {
  return unless_foreign([&] {
    const json::value answer = parsed(body);
    const json::object& attributes = object_in(object_of(answer), "Attributes");
    Attributes out;
    for (const auto& attribute : attributes) {
      out.emplace(attribute.key(), text_in(attributes, attribute.key()));
    }
    return out;
  });
}

std::optional<QueueFacts> facts_of(const std::string& queue_url, const Attributes& attributes) {
  return unless_foreign([&] {
    QueueFacts facts;
    facts.url = queue_url;
    facts.fifo = is_fifo(queue_url);
    facts.arn = text_in(attributes, "QueueArn");
    facts.visibility_s = number_in<std::int64_t>(attributes, "VisibilityTimeout");
    if (attributes.contains("MessageRetentionPeriod")) {  // ElasticMQ does not tell it
      facts.retention_s = number_in<std::int64_t>(attributes, "MessageRetentionPeriod");
    }
    if (const std::string_view text = text_in(attributes, "RedrivePolicy"); !text.empty()) {
      const json::value policy = parsed(text);
      facts.max_receive_count = number_in<int>(object_of(policy), "maxReceiveCount");
      facts.dead_letter_arn = text_in(object_of(policy), "deadLetterTargetArn");
    }
    return facts;
  });
}

std::optional<QueueCounts> counts_of(const Attributes& attributes) {
  return unless_foreign([&] {
    return QueueCounts{number_in<std::int64_t>(attributes, kCountNames[0]),
                       number_in<std::int64_t>(attributes, kCountNames[1]),
                       number_in<std::int64_t>(attributes, kCountNames[2])};
  });
}

ServiceError parse_error(std::string_view body, std::string_view query_error) {
  const auto told = unless_foreign([&] {
    const json::value answer = parsed(body);
    const json::object& object = object_of(answer);
    const std::string_view message = text_in(object, "message");
    return ServiceError{plain_code(text_in(object, "__type")),
                        std::string(message.empty() ? text_in(object, "Message") : message)};
  });
  ServiceError error = told ? *told : ServiceError{"", std::string(body)};
  if (error.code.empty()) error.code = plain_code(query_error);
  return error;
}

}  // namespace sluice
