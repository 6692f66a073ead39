// SPDX-License-Identifier: Apache-2.0
// Internet addresses, read strictly and printed in their one standard form.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

struct Address {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};  // the first four for IPv4, the others 0

  /// A dotted quad without leading zeros, or IPv6 as RFC 4291 section 2.2 writes it; no zone, no
  /// prefix.
  static std::optional<Address> parse(std::string_view text);

  /// RFC 5952 for IPv6.
  std::string text() const;
  std::string_view network_order() const {
    return {reinterpret_cast<const char*>(bytes.data()), v6 ? 16U : 4U};
  }
  /// The IPv4 address when this is one mapped into IPv6 (::ffff:0:0/96), else the same.
  Address unmapped() const;
  /// With all but the first `bits` bits cleared.
  Address network(int bits) const;
};

}  // namespace sluice
