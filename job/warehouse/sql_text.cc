// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/sql_text.h"

namespace sluice {

std::string quoted(std::string_view name) {
  std::string text = "\"";
  for (const char c : name) text.append(c == '"' ? 2 : 1, c);
  return text + '"';
}

std::string quoted(const Table& table) { return quoted(table.schema) + "." + quoted(table.name); }

}  // namespace sluice
