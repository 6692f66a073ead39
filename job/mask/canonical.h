// SPDX-License-Identifier: Apache-2.0
// The form that equal values share before they are masked. Changing it changes every mask: there
// are test vectors.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "job/config/pipeline.h"
#include "job/record/address.h"

namespace sluice {

/// None when the value is not of that kind. The value is valid UTF-8.
std::optional<std::string> canonical(Canonical form, std::string_view value);

/// Trimmed, and an IPv4-mapped IPv6 address as IPv4.
std::optional<Address> canonical_ip(std::string_view value);

/// Trimmed, the domain in lower case; the part before the @ is the receiving host's business and
/// stays. One @, something on either side, no white space.
struct EmailAddress {
  std::string_view local;  // views into the value
  std::string domain;
};
std::optional<EmailAddress> canonical_email(std::string_view value);

}  // namespace sluice
