// SPDX-License-Identifier: Apache-2.0
// The numbered files of sql/, inside the program.
#pragma once

#include <span>
#include <string_view>

namespace sluice {

struct Migration {
  int version;  // counts from 1 without gaps
  std::string_view name;
  std::string_view sql;
};

std::span<const Migration> migrations();

}  // namespace sluice
