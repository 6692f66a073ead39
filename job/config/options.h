// SPDX-License-Identifier: Apache-2.0
// The one table of options. Flag, SLUICE_ variable, line of --config, help and `check
// --show-config` all come from it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "job/base/environment.h"

namespace sluice {

struct Option {
  // A secret is text that nobody is shown.
  enum class Type { text, secret, path, paths, count, duration, bytes, share, moment, word, flag };

  std::string_view name;  // "max-messages": --max-messages, SLUICE_MAX_MESSAGES, max-messages = …
  Type type;
  std::string_view placeholder;  // "N" in the help; empty for a flag
  std::string_view fallback;     // as it would be written; empty: none
  std::int64_t least = 0;        // count, duration (ms), bytes
  std::int64_t most = 0;
  std::string_view words;     // of a word: "text json"
  std::string_view commands;  // "run check", or "" for every command
  std::string_view about;
  std::string_view other_variables = {};  // looked at after SLUICE_…: "JOB_COMPLETION_INDEX"

  bool is_for(std::string_view command) const;
};

std::span<const Option> options();
/// "--max-messages N  stop after N messages (default …)", aligned, for one command.
std::string options_help(std::string_view command);
/// "SLUICE_MAX_MESSAGES"
std::string variable_of(const Option& option);

/// A share of all messages, or a number of them: "5", "0.1%".
struct Threshold {
  double percent = 0;
  std::uint64_t count = 0;
  bool is_percent = false;
};

/// The settings of one command, each checked, each with its origin. Flags win over the environment
/// over the file of
/// --config over defaults.
class Settings {
 public:
  /// `arguments` without the command; a word without dashes is the value of --shell, for
  /// `completion`. Failure{usage} names the option, the value and what is allowed; an unreadable
  /// --config is Failure{configuration}.
  Settings(std::string_view command, const std::vector<std::string>& arguments,
           const Environment& environment);

  /// Empty or unset is "".
  std::string text(std::string_view name) const;
  /// Of an option that takes several, in their order.
  std::vector<std::string> paths(std::string_view name) const;
  bool has(std::string_view name) const { return !text(name).empty(); }
  bool flag(std::string_view name) const;
  std::int64_t count(std::string_view name) const;
  std::int64_t duration_ms(std::string_view name) const;
  std::int64_t bytes(std::string_view name) const;
  std::optional<Threshold> threshold(std::string_view name) const;
  /// On the wall clock, milliseconds since 1970; `now_ms` for "now".
  std::optional<std::int64_t> moment_ms(std::string_view name, std::int64_t now_ms) const;

  struct Shown {
    std::string name;
    std::string value;  // *** for a secret, and for a password in a connection string
    std::string origin;
  };
  std::vector<Shown> shown() const;

 private:
  struct Value {
    std::string text;
    std::string origin;
  };
  void take(const Option& option, std::string text, std::string origin);
  void take_flags(const std::vector<std::string>& arguments);
  void take_environment(const Environment& environment);
  void take_file(const std::string& path);
  const std::string& stored(std::string_view name, Option::Type type) const;

  std::string command_;
  std::map<std::string, Value, std::less<>> values_;
};

}  // namespace sluice
