// SPDX-License-Identifier: Apache-2.0
// Passwords inside libpq's connection strings: on a command line they are refused, elsewhere they
// are not shown.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Views into the text, in its order; with their quotes. Of both forms:
/// postgresql://user:PASSWORD@host/database?sslpassword=PASSWORD and words name = 'value'. Of text
/// that libpq would not take, rather too much than too little.
std::vector<std::string_view> passwords_in(std::string_view conninfo);

/// With *** in the place of each.
std::string without_passwords(std::string_view conninfo);

}  // namespace sluice
