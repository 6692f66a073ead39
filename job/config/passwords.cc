// SPDX-License-Identifier: Apache-2.0
#include "job/config/passwords.h"

#include <algorithm>

#include "job/base/text.h"

namespace sluice {
namespace {

constexpr std::string_view kBlank = " \t\r\n\f\v";

/// password and sslpassword. In a URI they may be written with percent signs.
bool is_secret(std::string_view name) {
  return lower_ascii(name).ends_with("password") || name.find('%') != std::string_view::npos;
}

/// PostgreSQL documentation, "Connection URIs".
std::vector<std::string_view> in_uri(std::string_view uri) {
  std::vector<std::string_view> found;
  uri.remove_prefix(uri.find("://") + 3);
  const std::string_view authority = uri.substr(0, uri.find_first_of("/?"));
  const std::size_t at = authority.rfind('@');
  const std::size_t colon = authority.find(':');
  if (at != std::string_view::npos && colon < at) {
    found.push_back(authority.substr(colon + 1, at - colon - 1));
  }
  const std::size_t question = uri.find('?');
  if (question == std::string_view::npos) return found;
  for (const std::string_view parameter : split(uri.substr(question + 1), '&')) {
    const std::size_t equals = parameter.find('=');
    if (equals != std::string_view::npos && is_secret(parameter.substr(0, equals))) {
      found.push_back(parameter.substr(equals + 1));
    }
  }
  return found;
}

/// The value at the front: in quotes, or up to a blank; a backslash takes the next character as it
/// is.
std::string_view value_of(std::string_view text) {
  const bool quoted = text.starts_with('\'');
  std::size_t end = quoted ? 1 : 0;
  while (end < text.size() &&
         (quoted ? text[end] != '\'' : kBlank.find(text[end]) == std::string_view::npos)) {
    end += text[end] == '\\' ? 2 : 1;
  }
  return text.substr(0, quoted ? end + 1 : end);
}

/// PostgreSQL documentation, "Keyword/Value Connection Strings".
std::vector<std::string_view> in_words(std::string_view words) {
  std::vector<std::string_view> found;
  for (std::size_t equals = words.find('='); equals != std::string_view::npos;
       equals = words.find('=')) {
    const std::string_view name = trim_ascii(words.substr(0, equals));
    words.remove_prefix(equals + 1);
    words.remove_prefix(std::min(words.find_first_not_of(kBlank), words.size()));
    const std::string_view value = value_of(words);
    if (is_secret(name)) found.push_back(value);
    words.remove_prefix(value.size());
  }
  return found;
}

}  // namespace

std::vector<std::string_view> passwords_in(std::string_view conninfo) {
  // As libpq tells them apart: a password, too, may hold "://".
  const bool uri = conninfo.starts_with("postgresql://") || conninfo.starts_with("postgres://");
  return uri ? in_uri(conninfo) : in_words(conninfo);
}

std::string without_passwords(std::string_view conninfo) {
  std::string shown;
  const char* from = conninfo.data();
  for (const std::string_view password : passwords_in(conninfo)) {
    shown.append(from, password.data()).append("***");
    from = password.data() + password.size();
  }
  return shown.append(from, conninfo.data() + conninfo.size());
}

}  // namespace sluice
