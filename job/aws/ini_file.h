// SPDX-License-Identifier: Apache-2.0
// The dialect of ini that AWS's tools share: `[section]`, `key = value`, comments on lines of their
// own, and below a key without a value, deeper indented, a second level of keys.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "job/base/secret.h"

namespace sluice {

class IniFile {
 public:
  /// A key without sub-keys has only `value`. Views into the file's text, which may hold secrets.
  struct Entry {
    std::string_view value;
    std::map<std::string, std::string_view, std::less<>> nested;
  };
  /// By key in lower case.
  using Section = std::map<std::string, Entry, std::less<>>;

  /// No sections: what a file that is missing reads as.
  IniFile() = default;
  /// Failure{configuration} naming `what` and the line, never its text.
  IniFile(Secret text, std::string_view what);

  /// By the words between the brackets, joined by one space, without quotes: "profile reporting".
  /// Null when absent.
  const Section* section(std::string_view name) const;

 private:
  std::shared_ptr<const Secret> text_;
  std::map<std::string, Section, std::less<>> sections_;
};

}  // namespace sluice
