// SPDX-License-Identifier: Apache-2.0
#include "job/config/field_path.h"

#include "job/base/text.h"

namespace sluice {

std::optional<std::vector<std::string>> parse_field_path(std::string_view text) {
  if (!text.starts_with('/')) return std::vector<std::string>{std::string(text)};
  std::vector<std::string> path;
  for (const std::string_view part : split(text.substr(1), '/')) {
    std::string& key = path.emplace_back();
    for (std::size_t i = 0; i < part.size(); ++i) {
      if (part[i] != '~') {
        key += part[i];
      } else if (i + 1 < part.size() && (part[i + 1] == '0' || part[i + 1] == '1')) {
        key += part[++i] == '0' ? '~' : '/';  // ~1 is a slash, ~0 a tilde
      } else {
        return std::nullopt;
      }
    }
  }
  return path;
}

}  // namespace sluice
