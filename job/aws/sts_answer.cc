// SPDX-License-Identifier: Apache-2.0
#include "job/aws/sts_answer.h"

#include <array>
#include <utility>

#include "job/base/moment.h"
#include "job/base/text.h"

namespace sluice {
namespace {

/// What is between the tags of the only element of that name, which has no attributes; nothing when
/// there is none or a second.
std::optional<std::string_view> inside(std::string_view xml, std::string_view name) {
  const std::string open = "<" + std::string(name) + ">";
  const std::string close = "</" + std::string(name) + ">";
  const std::size_t begin = xml.find(open);
  if (begin == std::string_view::npos) return std::nullopt;
  const std::size_t end = xml.find(close, begin);
  if (end == std::string_view::npos) return std::nullopt;
  if (xml.find(open, begin + 1) != std::string_view::npos) return std::nullopt;
  return xml.substr(begin + open.size(), end - begin - open.size());
}

constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
    {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};

/// The text of an element that has no others in it.
std::string text_in(std::string_view xml, std::string_view name) {
  std::string_view rest = trim_ascii(inside(xml, name).value_or(""));
  if (rest.find('<') != std::string_view::npos) return "";
  std::string text;
  while (!rest.empty()) {
    std::size_t taken = 1;
    char c = rest.front();
    for (const auto& [entity, meant] : kEntities) {
      if (!rest.starts_with(entity)) continue;
      c = meant;
      taken = entity.size();
    }
    text += c;
    rest.remove_prefix(taken);
  }
  return text;
}

}  // namespace

std::optional<Credentials> parse_sts_credentials(std::string_view xml) {
  const auto credentials = inside(xml, "Credentials");
  if (!credentials) return std::nullopt;
  Credentials found{text_in(*credentials, "AccessKeyId"),
                    Secret(text_in(*credentials, "SecretAccessKey")),
                    Secret(text_in(*credentials, "SessionToken")), ""};
  const auto expires_us = parse_timestamp(text_in(*credentials, "Expiration"), Zone::required);
  if (found.access_key.empty() || found.secret.empty() || found.session_token.empty() ||
      !expires_us) {
    return std::nullopt;
  }
  found.expires_ms = *expires_us / 1000;
  return found;
}

StsError parse_sts_error(std::string_view xml) {
  return {text_in(xml, "Code"), text_in(xml, "Message")};
}

}  // namespace sluice
