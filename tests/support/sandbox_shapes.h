// SPDX-License-Identifier: Apache-2.0
// The shapes of SQS's requests: fields, types, ranges, and the rules for the entries of a batch.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

namespace sluice {

/// SQS: of a message, and of all the messages of a batch together.
inline constexpr std::size_t kLargestMessage = 1'048'576;

bool is_operation(std::string_view name);
/// Throws SandboxRefusal. Stricter than AWS: a field that SQS does not know is refused, not
/// ignored.
void check_request(std::string_view operation, const boost::json::object& request);

}  // namespace sluice
