// SPDX-License-Identifier: Apache-2.0
// JSON written by people: every key and value knows its line, and no key is silently lost.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "job/base/failure.h"

namespace sluice {

struct LocatedJson {
  enum class Kind { null, boolean, number, string, array, object };
  struct Member;

  Kind kind = Kind::null;
  int line = 1;
  bool boolean = false;
  std::string text;  // of a string: unescaped; of a number: as written
  std::vector<LocatedJson> items;
  std::vector<Member> members;

  /// The member's value, or null. An object has few members: a search is fast enough.
  const LocatedJson* find(std::string_view key) const;
};

struct LocatedJson::Member {
  std::string key;
  int line = 1;
  LocatedJson value;
};

/// Parses the whole text; `//` and `/* */` comments are allowed. Not JSON, and a key that stands
/// twice in one object, are Failure{configuration}: "<what> <path>:<line>: …".
LocatedJson parse_located(std::string_view text, std::string_view what, const std::string& path);

/// Failure{configuration} at a line of such a file.
Failure at_line(std::string_view what, const std::string& path, int line,
                const std::string& problem, const std::string& hint);

}  // namespace sluice
