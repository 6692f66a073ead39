// SPDX-License-Identifier: Apache-2.0
#include "job/aws/quotable.h"

#include <algorithm>

#include "job/base/text.h"

namespace sluice {
namespace {

constexpr std::size_t kMost = 300;
// Fewer characters may be alike by accident.
constexpr std::size_t kTelling = 12;

bool repeats(std::string_view said, std::string_view secret) {
  const std::size_t length = std::min(kTelling, secret.size());
  if (length == 0) return false;
  for (std::size_t at = 0; at + length <= said.size(); ++at) {
    if (secret.find(said.substr(at, length)) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

std::string quotable(std::string_view said, std::span<const std::string_view> secrets) {
  const std::string text = printable(trim_ascii(said), kMost);
  const auto is_repeated = [&](std::string_view secret) { return repeats(text, secret); };
  return std::any_of(secrets.begin(), secrets.end(), is_repeated) ? "" : text;
}

}  // namespace sluice
