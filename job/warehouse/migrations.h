// SPDX-License-Identifier: Apache-2.0
// The numbered files of sql/, inside the program.
#pragma once

#include <charconv>
#include <span>
#include <string_view>

namespace sluice {

struct Migration {
  std::string_view name;  // "0001_schema.sql"
  std::string_view sql;

  /// Counts from 1 without gaps.
  int version() const {
    int number = 0;
    std::from_chars(name.data(), name.data() + name.size(), number);
    return number;
  }
};

std::span<const Migration> migrations();

}  // namespace sluice
