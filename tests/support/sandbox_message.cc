// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sandbox_message.h"

#include <algorithm>
#include <utility>

#include <boost/json.hpp>
#include <openssl/evp.h>

#include "job/base/encoding.h"
#include "tests/support/sandbox_refusal.h"

namespace sluice {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr ? std::string() : std::string(value->get_string());
}

std::vector<std::string> names_in(const json::object& request, std::string_view field) {
  std::vector<std::string> names;
  if (const json::value* list = request.if_contains(field)) {
    for (const json::value& name : list->get_array()) names.emplace_back(name.get_string());
  }
  return names;
}

bool matches(const std::string& name, const std::vector<std::string>& patterns) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) {
    return pattern == "All" || pattern == ".*" || pattern == name ||
           (pattern.ends_with(".*") && name.starts_with(pattern.substr(0, pattern.size() - 1)));
  });
}

json::object system_attributes(const Delivery& delivery, const json::object& request) {
  std::vector<std::string> wanted = names_in(request, "MessageSystemAttributeNames");
  for (std::string& name : names_in(request, "AttributeNames")) wanted.push_back(std::move(name));
  if (wanted.empty()) return {};
  const Message& message = delivery.message;
  const std::pair<std::string_view, std::string> known[] = {
      {"ApproximateReceiveCount", std::to_string(message.receive_count)},
      {"SentTimestamp", std::to_string(message.sent_ms)},
      {"ApproximateFirstReceiveTimestamp", std::to_string(delivery.first_received_ms)},
      {"SenderId", "AIDAEXAMPLE"},
      {"MessageGroupId", message.group},
      {"SequenceNumber", message.sequence},
      {"MessageDeduplicationId", delivery.deduplication}};
  json::object shown;
  for (const auto& [name, value] : known) {
    const bool asked = std::ranges::find(wanted, name) != wanted.end() ||
                       std::ranges::find(wanted, "All") != wanted.end();
    if (asked && !value.empty()) shown[name] = value;
  }
  return shown;
}

/// SQS takes #x9, #xA, #xD, #x20 to #xD7FF, #xE000 to #xFFFD and #x10000 to #x10FFFF.
void check_characters(std::string_view body) {
  const bool control = std::ranges::any_of(
      body, [](unsigned char c) { return c < 0x20 && c != '\t' && c != '\n' && c != '\r'; });
  const bool noncharacter = body.find("\xef\xbf\xbe") != std::string_view::npos ||
                            body.find("\xef\xbf\xbf") != std::string_view::npos;
  if (control || noncharacter) {
    throw SandboxRefusal("InvalidMessageContents",
                         "the message holds characters outside the allowed set");
  }
}

}  // namespace

std::string md5_hex(std::string_view data) {
  static EVP_MD* const digest = EVP_MD_fetch(nullptr, "MD5", nullptr);
  std::string out(16, '\0');
  EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(out.data()), nullptr,
             digest, nullptr);
  return to_hex(out);
}

std::string md5_of_attributes(const std::vector<MessageAttribute>& attributes) {
  std::string bytes;
  const auto append = [&](std::string_view part) {
    append_big_endian<4>(bytes, part.size());
    bytes += part;
  };
  for (const MessageAttribute& attribute : attributes) {
    const bool binary = attribute.type.starts_with("Binary");
    append(attribute.name);
    append(attribute.type);
    bytes += binary ? '\2' : '\1';
    append(binary ? from_base64(attribute.value).value_or("") : attribute.value);
  }
  return md5_hex(bytes);
}

NewMessage read_message(const json::object& entry) {
  NewMessage message;
  message.body = text_of(entry, "MessageBody");
  check_characters(message.body);
  message.group = text_of(entry, "MessageGroupId");
  message.deduplication = text_of(entry, "MessageDeduplicationId");
  if (const json::value* delay = entry.if_contains("DelaySeconds")) {
    message.delay_s = static_cast<int>(delay->get_int64());
  }
  if (const json::value* attributes = entry.if_contains("MessageAttributes")) {
    for (const auto& [name, value] : attributes->get_object()) {
      const std::string type = text_of(value.get_object(), "DataType");
      message.attributes.push_back(
          {std::string(name), type,
           text_of(value.get_object(),
                   type.starts_with("Binary") ? "BinaryValue" : "StringValue")});
    }
    std::ranges::sort(message.attributes, {}, &MessageAttribute::name);
  }
  return message;
}

json::object show_message(const Delivery& delivery, const json::object& request) {
  const Message& message = delivery.message;
  json::object shown{{"MessageId", message.id},
                     {"ReceiptHandle", message.receipt},
                     {"MD5OfBody", md5_hex(message.body)},
                     {"Body", message.body}};
  if (json::object system = system_attributes(delivery, request); !system.empty()) {
    shown["Attributes"] = std::move(system);
  }
  std::vector<MessageAttribute> own;
  const auto patterns = names_in(request, "MessageAttributeNames");
  std::ranges::copy_if(message.attributes, std::back_inserter(own),
                       [&](const MessageAttribute& a) { return matches(a.name, patterns); });
  if (own.empty()) return shown;
  json::object attributes;
  for (const auto& [name, type, value] : own) {
    attributes[name] = json::object{
        {"DataType", type}, {type.starts_with("Binary") ? "BinaryValue" : "StringValue", value}};
  }
  shown["MessageAttributes"] = std::move(attributes);
  shown["MD5OfMessageAttributes"] = md5_of_attributes(own);
  return shown;
}

}  // namespace sluice
