// SPDX-License-Identifier: Apache-2.0
// A message as SQS puts it on the wire and takes it from there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "tests/support/sandbox_queue.h"

namespace sluice {

std::string md5_hex(std::string_view data);
/// SQS's digest over attributes, which are sorted by name.
std::string md5_of_attributes(const std::vector<MessageAttribute>& attributes);

/// Of SendMessage, or of an entry of its batch. Throws SandboxRefusal for text that SQS does not
/// carry.
NewMessage read_message(const boost::json::object& entry);
/// As JSON has it. Bodies put in by tests may hold lone surrogates, which are no UTF-8; on the wire
/// they are escapes.
void append_json_text(std::string& out, std::string_view text);

/// What a ReceiveMessage wants to see of each message.
class MessageView {
 public:
  explicit MessageView(const boost::json::object& request);
  /// The message as a JSON object, appended.
  void show(const Delivery& delivery, std::string& out) const;

 private:
  void show_system(const Delivery& delivery, std::string& out) const;
  void show_own(const Message& message, std::string& out) const;

  std::vector<std::string> system_;  // names
  std::vector<std::string> own_;     // patterns
};

}  // namespace sluice
