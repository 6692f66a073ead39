// SPDX-License-Identifier: Apache-2.0
#include "job/mask/canonical.h"

#include "job/base/failure.h"
#include "job/record/unicode.h"

namespace sluice {

std::optional<Address> canonical_ip(std::string_view value) {
  const auto address = Address::parse(trim_white_space(value));
  if (!address) return std::nullopt;
  return address->unmapped();
}

std::optional<EmailAddress> canonical_email(std::string_view value) {
  const std::string_view text = trim_white_space(value);
  const std::size_t at = text.find('@');
  if (at == 0 || at == std::string_view::npos || at + 1 == text.size()) return std::nullopt;
  const std::string_view domain = text.substr(at + 1);
  if (domain.find('@') != std::string_view::npos || has_white_space_or_control(text)) {
    return std::nullopt;
  }
  return EmailAddress{text.substr(0, at), to_lower(domain)};
}

std::optional<std::string> canonical(Canonical form, std::string_view value) {
  switch (form) {
    case Canonical::none:
      return std::string(value);
    case Canonical::text:
      return to_nfc(trim_white_space(value));
    case Canonical::ip: {
      const auto address = canonical_ip(value);
      return address ? std::optional(address->text()) : std::nullopt;
    }
    case Canonical::email: {
      const auto email = canonical_email(value);
      return email ? std::optional(std::string(email->local) + "@" + email->domain) : std::nullopt;
    }
  }
  bug("a canonical form that is not made");
}

}  // namespace sluice
