// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sandbox_message.h"

#include <algorithm>
#include <array>
#include <memory>
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

void append_member(std::string& out, std::string_view name, std::string_view text) {
  if (out.back() != '{') out += ',';
  append_json_text(out, name);
  out += ':';
  append_json_text(out, text);
}

void append_escape(std::string& out, unsigned code) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[code >> shift & 15];
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
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "MD5", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
      EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::array<unsigned char, 16> out{};
  EVP_DigestInit_ex2(context.get(), algorithm, nullptr);
  EVP_DigestUpdate(context.get(), data.data(), data.size());
  EVP_DigestFinal_ex(context.get(), out.data(), nullptr);
  return to_hex({reinterpret_cast<const char*>(out.data()), out.size()});
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

void append_json_text(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;  // where what needs no escape began
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0xed) continue;
    const bool surrogate =
        byte == 0xed && at + 2 < text.size() && static_cast<unsigned char>(text[at + 1]) >= 0xa0;
    if (byte == 0xed && !surrogate) continue;
    out.append(text, plain, at - plain);
    if (surrogate) {
      append_escape(out, 0xd000U | (static_cast<unsigned char>(text[at + 1]) & 0x3fU) << 6 |
                             (static_cast<unsigned char>(text[at + 2]) & 0x3fU));
      at += 2;
    } else if (byte < 0x20) {
      append_escape(out, byte);
    } else {
      out.append({'\\', text[at]});
    }
    plain = at + 1;
  }
  out.append(text, plain).append(1, '"');
}

MessageView::MessageView(const json::object& request)
    : system_(names_in(request, "MessageSystemAttributeNames")),
      own_(names_in(request, "MessageAttributeNames")) {
  for (std::string& name : names_in(request, "AttributeNames")) system_.push_back(std::move(name));
}

void MessageView::show(const Delivery& delivery, std::string& out) const {
  const Message& message = delivery.message;
  out.append(R"({"MessageId":")").append(message.id);
  out.append(R"(","ReceiptHandle":")").append(message.receipt);
  out.append(R"(","MD5OfBody":")").append(md5_hex(message.body)).append(R"(","Body":)");
  append_json_text(out, message.body);
  show_system(delivery, out);
  show_own(message, out);
  out += '}';
}

void MessageView::show_system(const Delivery& delivery, std::string& out) const {
  const Message& message = delivery.message;
  std::string shown = "{";
  const auto show = [&](std::string_view name, std::string_view value) {
    const bool asked = std::ranges::find(system_, name) != system_.end() ||
                       std::ranges::find(system_, "All") != system_.end();
    if (asked && !value.empty()) append_member(shown, name, value);
  };
  if (system_.empty()) return;
  show("ApproximateReceiveCount", std::to_string(message.receive_count));
  show("SentTimestamp", std::to_string(message.sent_ms));
  show("ApproximateFirstReceiveTimestamp", std::to_string(delivery.first_received_ms));
  show("SenderId", "AIDAEXAMPLE");
  show("MessageGroupId", message.group);
  show("SequenceNumber", message.sequence);
  show("MessageDeduplicationId", delivery.deduplication);
  if (shown.size() > 1) out.append(R"(,"Attributes":)").append(shown).append("}");
}

void MessageView::show_own(const Message& message, std::string& out) const {
  std::vector<MessageAttribute> shown;
  std::ranges::copy_if(message.attributes, std::back_inserter(shown),
                       [&](const MessageAttribute& a) { return matches(a.name, own_); });
  if (shown.empty()) return;
  append_member(out, "MD5OfMessageAttributes", md5_of_attributes(shown));
  out += R"(,"MessageAttributes":{)";
  for (const auto& [name, type, value] : shown) {
    if (out.back() != '{') out += ',';
    append_json_text(out, name);
    out += ":{";
    append_member(out, "DataType", type);
    append_member(out, type.starts_with("Binary") ? "BinaryValue" : "StringValue", value);
    out += '}';
  }
  out += '}';
}

}  // namespace sluice
