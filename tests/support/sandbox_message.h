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
/// As ReceiveMessage answers it: `request` names the attributes that are wanted.
boost::json::object show_message(const Delivery& delivery, const boost::json::object& request);

}  // namespace sluice
