// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <sstream>

#include <boost/program_options.hpp>

#include "job/base/failure.h"
#include "job/base/file.h"
#include "job/base/moment.h"
#include "job/base/text.h"
#include "job/config/options.h"
#include "job/config/passwords.h"

namespace sluice {
namespace {

namespace po = boost::program_options;
using Type = Option::Type;

constexpr std::size_t kLargestConfig = 1 << 20;

std::optional<Threshold> parse_threshold(std::string_view text) {
  Threshold threshold;
  if (!text.empty() && text.back() == '%') {
    const std::string_view number = text.substr(0, text.size() - 1);
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), threshold.percent);
    threshold.is_percent = true;
    const bool fits = threshold.percent >= 0 && threshold.percent <= 100;
    if (error != std::errc() || end != number.data() + number.size() || !fits) return std::nullopt;
    return threshold;
  }
  const auto count = parse_integer<std::uint64_t>(text);
  if (!count) return std::nullopt;
  threshold.count = *count;
  return threshold;
}

/// What is allowed, when `text` is not; else empty.
std::string problem_with(const Option& option, const std::string& text) {
  const auto in_range = [&option](std::optional<std::int64_t> value) {
    return value && *value >= option.least && *value <= option.most;
  };
  const auto from_to = [&option](auto format) {
    return "from " + format(option.least) + " to " + format(option.most);
  };
  switch (option.type) {
    case Type::text:
    case Type::secret:
    case Type::path:
    case Type::paths:
      return "";
    case Type::count:
      if (in_range(parse_integer<std::int64_t>(text))) return "";
      return "a whole number " + from_to([](std::int64_t n) { return std::to_string(n); });
    case Type::duration:
      if (in_range(parse_duration_ms(text))) return "";
      return "a duration such as 500ms 30s 50m 2h 15d, " + from_to(format_duration);
    case Type::bytes:
      if (in_range(parse_bytes(text))) return "";
      return "a size such as 64MiB, " + from_to(format_bytes);
    case Type::share:
      if (parse_threshold(text)) return "";
      return "a number of messages, or a share from 0% to 100%";
    case Type::moment:
      if (text == "now" || parse_timestamp(text, Zone::required)) return "";
      return "now, or a time with its zone such as 2026-11-20T10:07:00Z";
    case Type::word: {
      const auto words = split(option.words, ' ');
      if (std::find(words.begin(), words.end(), text) != words.end()) return "";
      return "one of " + listed(words);
    }
    case Type::flag:
      if (text == "true" || text == "false" || text == "1" || text == "0") return "";
      return "true or false";
  }
  return "";
}

std::vector<std::string_view> names_for(std::string_view command) {
  std::vector<std::string_view> names;
  for (const Option& option : options()) {
    if (option.is_for(command)) names.push_back(option.name);
  }
  return names;
}

po::options_description described(std::string_view command) {
  po::options_description all;
  for (const Option& option : options()) {
    if (!option.is_for(command)) continue;
    auto* value = po::value<std::string>();
    if (option.type == Type::flag) value->zero_tokens()->implicit_value("true");
    if (option.type == Type::paths) value->multitoken();
    all.add_options()(std::string(option.name).c_str(), value, "");
  }
  return all;
}

/// Several paths are kept as lines.
std::string joined(const std::vector<std::string>& paths) {
  std::string lines;
  for (const std::string& path : paths) lines += (lines.empty() ? "" : "\n") + path;
  return lines;
}

const Option& option_of(std::string_view name) {
  for (const Option& option : options()) {
    if (option.name == name) return option;
  }
  bug("no option " + std::string(name));
}

}  // namespace

Settings::Settings(std::string_view command, const std::vector<std::string>& arguments,
                   const Environment& environment)
    : command_(command) {
  take_flags(arguments);
  take_environment(environment);
  if (has("config")) take_file(text("config"));
  for (const Option& option : options()) {
    if (option.is_for(command_) && !option.fallback.empty())
      take(option, std::string(option.fallback), "default");
  }
}

void Settings::take(const Option& option, std::string text, std::string origin) {
  if (values_.count(option.name) > 0) return;
  const std::string allowed = problem_with(option, text);
  if (!allowed.empty()) {
    throw Failure(
        Fault::usage,
        origin + ": " + std::string(option.name) + " cannot be '" + printable(text, 60) + "'",
        "it takes " + allowed);
  }
  values_[std::string(option.name)] = {std::move(text), std::move(origin)};
}

void Settings::take_flags(const std::vector<std::string>& arguments) {
  const std::string hint = "sluice " + command_ + " --help lists the flags";
  try {
    const auto description = described(command_);
    po::command_line_parser parser(arguments);
    // No guessing: --max-run must not pass for --max-runtime in a crontab.
    parser.options(description)
        .style(po::command_line_style::unix_style & ~po::command_line_style::allow_guessing &
               ~po::command_line_style::allow_short);
    po::positional_options_description positional;
    if (option_of("shell").is_for(command_)) parser.positional(positional.add("shell", 1));
    const auto parsed = parser.run();
    for (const auto& given : parsed.options) {
      if (given.string_key.empty()) {
        throw Failure(Fault::usage,
                      "unexpected argument '" + printable(given.value.at(0), 60) + "'", hint);
      }
      const Option& option = option_of(given.string_key);
      const auto before = values_.find(option.name);
      std::string value = given.value.empty() ? "true" : joined(given.value);
      if (before != values_.end() && option.type == Type::paths) {
        before->second.text += "\n" + value;
        continue;
      }
      if (before != values_.end()) {
        throw Failure(Fault::usage, "--" + given.string_key + " is given twice",
                      "keep one of them");
      }
      if (option.name == "postgres" && !passwords_in(value).empty()) {
        throw Failure(Fault::usage,
                      "--postgres holds a password, which every user of this host could read",
                      "use PGPASSFILE, PGPASSWORD or a service file");
      }
      take(option, std::move(value), "--" + given.string_key);
    }
  } catch (const po::unknown_option& error) {
    const std::string name = lower_ascii(error.get_option_name());
    const std::string bare = name.substr(std::min(name.find_first_not_of('-'), name.size()));
    throw Failure(Fault::usage,
                  "unknown flag --" + printable(bare, 60) + did_you_mean(bare, names_for(command_)),
                  hint);
  } catch (const po::error& error) {
    throw Failure(Fault::usage, printable(error.what()), hint);
  }
}

void Settings::take_environment(const Environment& environment) {
  for (const Option& option : options()) {
    if (!option.is_for(command_)) continue;
    std::vector<std::string> variables = {variable_of(option)};
    if (!option.other_variables.empty()) variables.emplace_back(option.other_variables);
    for (const std::string& variable : variables) {
      std::string value = environment(variable.c_str());
      if (!value.empty()) take(option, std::move(value), variable);
    }
  }
}

void Settings::take_file(const std::string& path) {
  // Every command's options are known here, so that one file can serve them all.
  std::istringstream file(read_file(path, kLargestConfig, "configuration file"));
  po::options_description all;
  std::vector<std::string_view> names;
  for (const Option& option : options()) {
    all.add_options()(std::string(option.name).c_str(), po::value<std::string>(), "");
    names.push_back(option.name);
  }
  try {
    const auto parsed = po::parse_config_file(file, all, true);
    for (const auto& given : parsed.options) {
      if (given.unregistered) {
        throw Failure(Fault::usage,
                      path + ": unknown key '" + printable(given.string_key, 60) + "'" +
                          did_you_mean(given.string_key, names),
                      "write keys as the flags are named, without the dashes");
      }
      const Option& option = option_of(given.string_key);
      if (option.is_for(command_)) take(option, given.value.front(), path);
    }
  } catch (const po::invalid_config_file_syntax& error) {
    // Not what(): Boost 1.81 puts the line into its own text again and again when the line holds
    // "%invalid_line%".
    throw Failure(Fault::usage,
                  path + ": unrecognized line '" + printable(error.tokens(), 60) + "'",
                  "write lines `key = value`, # for comments");
  }
}

const std::string& Settings::stored(std::string_view name, Type type) const {
  static const std::string none;
  const Option& option = option_of(name);
  require(type == Type::text || option.type == type,
          "an option is read as another type than it is");
  const auto found = values_.find(name);
  return found == values_.end() ? none : found->second.text;
}

std::string Settings::text(std::string_view name) const { return stored(name, Type::text); }

std::vector<std::string> Settings::paths(std::string_view name) const {
  std::vector<std::string> all;
  for (const std::string_view path : split(stored(name, Type::paths), '\n')) {
    if (!path.empty()) all.emplace_back(path);
  }
  return all;
}

bool Settings::flag(std::string_view name) const {
  const std::string& value = stored(name, Type::flag);
  return value == "true" || value == "1";
}

std::int64_t Settings::count(std::string_view name) const {
  return parse_integer<std::int64_t>(stored(name, Type::count)).value_or(0);
}

std::int64_t Settings::duration_ms(std::string_view name) const {
  return parse_duration_ms(stored(name, Type::duration)).value_or(0);
}

std::int64_t Settings::bytes(std::string_view name) const {
  return parse_bytes(stored(name, Type::bytes)).value_or(0);
}

std::optional<Threshold> Settings::threshold(std::string_view name) const {
  return parse_threshold(stored(name, Type::share));
}

std::optional<std::int64_t> Settings::moment_ms(std::string_view name, std::int64_t now_ms) const {
  const std::string& text = stored(name, Type::moment);
  if (text == "now") return now_ms;
  const auto us = parse_timestamp(text, Zone::required);
  return us ? std::optional(*us / 1000) : std::nullopt;
}

std::vector<Settings::Shown> Settings::shown() const {
  std::vector<Shown> all;
  for (const Option& option : options()) {
    if (!option.is_for(command_)) continue;
    const auto found = values_.find(option.name);
    std::string value = found == values_.end() ? "" : found->second.text;
    if (option.name == "postgres") value = without_passwords(value);
    if (option.type == Type::secret && !value.empty()) value = "***";
    all.push_back({std::string(option.name), value,
                   found == values_.end() ? "not set" : found->second.origin});
  }
  return all;
}

}  // namespace sluice
