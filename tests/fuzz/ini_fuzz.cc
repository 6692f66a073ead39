// SPDX-License-Identifier: Apache-2.0
// AWS's two files.
#include <algorithm>

#include "job/aws/ini_file.h"
#include "job/base/text.h"
#include "tests/fuzz/properties.h"
#include "tests/fuzz/targets.h"

namespace sluice::fuzz {
namespace {

bool is_key(const std::string& key) {
  return key == lower_ascii(key) && key.find('\n') == std::string::npos;
}

void check(const IniFile::Section& section, std::string_view input) {
  for (const auto& [key, entry] : section) {
    must_hold(is_key(key), "keys are of one line and in lower case");
    must_hold(entry.value.empty() || input.find(entry.value) != std::string_view::npos,
              "a value stands in the file");
    must_hold(entry.value.empty() || entry.nested.empty(), "a value, or a second level");
    must_hold(std::all_of(entry.nested.begin(), entry.nested.end(),
                          [](const auto& each) { return is_key(each.first); }),
              "and so are those of the second level");
  }
}

}  // namespace

void ini(std::string_view input) {
  constexpr std::string_view kWhat = "a file";
  std::string said;
  const auto file = unless_refused([&] { return IniFile(Secret(std::string(input)), kWhat); },
                                   Fault::configuration, &said);
  must_hold(!repeats(said, input, 20), "a refusal tells a line's number, not its text");
  if (!file) return;
  must_hold(file->section("two  blanks") == nullptr,
            "one blank stands between the words of a name");
  for (const std::string_view line : split(input, '\n')) {
    const std::string_view name = trim_ascii(line.substr(0, line.find(']')));
    if (!name.starts_with('[')) continue;
    if (const auto* section = file->section(name.substr(1))) check(*section, input);
  }
}

}  // namespace sluice::fuzz
