// SPDX-License-Identifier: Apache-2.0
// Durations, sizes, moments, shares: the text of any option. First line: which one.
#include <array>

#include "job/base/clock.h"
#include "job/base/encoding.h"
#include "job/base/moment.h"
#include "job/base/text.h"
#include "job/config/options.h"
#include "tests/fuzz/properties.h"
#include "tests/fuzz/targets.h"

namespace sluice::fuzz {
namespace {

void check_setting(std::string_view name, const std::string& text) {
  for (const Option& option : sluice::options()) {
    if (option.name != name || name == "config") continue;
    const std::string variable = variable_of(option);
    const auto environment = [&](const char* asked) { return asked == variable ? text : ""; };
    std::string said;
    const auto settings =
        unless_refused([&] { return Settings("run", {}, environment); }, Fault::usage, &said);
    must_hold(said.size() < 500, "a refusal is short");
    must_hold(said.find_first_of("\n\t\x1b") == std::string::npos, "and of one line");
    if (settings) must_hold(!settings->shown().empty(), "what was taken can be shown");
  }
}

std::string shown_connection(const std::string& conninfo) {
  const auto environment = [&](const char* asked) {
    return std::string_view(asked) == "SLUICE_POSTGRES" ? conninfo : "";
  };
  for (const Settings::Shown& shown : Settings("run", {}, environment).shown()) {
    if (shown.name == "postgres") return shown.value;
  }
  return "";
}

/// Whatever a password is, and however libpq lets it be written.
void check_password(std::string_view password) {
  if (password.empty()) return;  // libpq reads on to the next word
  std::string quoted;
  std::string bare;
  std::string encoded;
  for (const char c : password) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
    bare += {'\\', c};
    encoded += "%" + to_hex({&c, 1});
  }
  must_hold(shown_connection("host=h password = '" + quoted + "' user=u") ==
                "host=h password = *** user=u",
            "a password in quotes is not shown");
  must_hold(shown_connection("sslpassword=x password=" + bare + " user=u") ==
                "sslpassword=*** password=*** user=u",
            "a password with backslashes is not shown");
  must_hold(shown_connection("postgresql://u:" + encoded + "@h/d?sslpassword=" + encoded) ==
                "postgresql://u:***@h/d?sslpassword=***",
            "a password in a URI is not shown");
}

}  // namespace

void options(std::string_view input) {
  const std::string_view name = take_line(input);
  if (const auto ms = parse_duration_ms(input)) {
    must_hold(parse_duration_ms(format_duration(*ms)) == ms, "a duration is printed and read");
  }
  if (const auto bytes = parse_bytes(input)) {
    must_hold(parse_bytes(format_bytes(*bytes)) == bytes, "a size is printed and read");
  }
  if (const auto us = parse_timestamp(input, Zone::required)) {
    // A zone may lead out of the years that are read: what is stored is checked where it is stored.
    const bool within = *us >= kFirstInstantUs && *us <= kLastInstantUs;
    must_hold(!within || parse_timestamp(rfc3339(*us / 1000 - (*us % 1000 < 0 ? 1 : 0)),
                                         Zone::required) == *us - ((*us % 1000) + 1000) % 1000,
              "a moment is printed and read");
  }
  if (const auto days = parse_date(input)) {
    const CivilDay day = civil_from_days(*days);
    must_hold(days_from_civil(day.year, day.month, day.day) == *days, "a day is a day");
  }
  constexpr std::array<std::string_view, 3> kWords = {"max-runtime", "max-messages", "run"};
  must_hold(printable(did_you_mean(input, kWords)) == did_you_mean(input, kWords),
            "advice is made of our own words");
  check_setting(name, std::string(input));
  check_password(input);
}

}  // namespace sluice::fuzz
