// SPDX-License-Identifier: Apache-2.0
#include "job/config/located_json.h"

#include <algorithm>
#include <optional>

#include <boost/json/basic_parser_impl.hpp>

namespace sluice {
namespace {

/// Builds the tree. The text is fed to the parser line by line, so `line` is always the line of the
/// token at hand.
struct Handler {
  // NOLINTBEGIN(readability-identifier-naming): names that Boost asks for.
  static constexpr std::size_t max_object_size = 10'000;
  static constexpr std::size_t max_array_size = 10'000;
  static constexpr std::size_t max_key_size = 10'000;
  static constexpr std::size_t max_string_size = 1'000'000;
  // NOLINTEND(readability-identifier-naming)

  using error_code = boost::json::error_code;
  using string_view = boost::json::string_view;

  int line = 1;
  std::string partial;
  std::vector<LocatedJson> open;          // containers under way, outermost first
  std::vector<LocatedJson::Member> keys;  // the key each open object waits a value for
  LocatedJson root;
  std::optional<LocatedJson::Member> repeated;

  void add(LocatedJson value) {
    if (open.empty()) {
      root = std::move(value);
    } else if (open.back().kind == LocatedJson::Kind::array) {
      open.back().items.push_back(std::move(value));
    } else {
      LocatedJson::Member member = std::move(keys.back());
      keys.pop_back();
      if (open.back().find(member.key) != nullptr && !repeated) repeated = member;
      member.value = std::move(value);
      open.back().members.push_back(std::move(member));
    }
  }
  void scalar(LocatedJson::Kind kind, bool boolean = false) {
    LocatedJson value;
    value.kind = kind;
    value.line = line;
    value.boolean = boolean;
    value.text = std::move(partial);
    partial.clear();
    add(std::move(value));
  }
  bool begin(LocatedJson::Kind kind) {
    open.emplace_back();
    open.back().kind = kind;
    open.back().line = line;
    return true;
  }
  bool end() {
    LocatedJson value = std::move(open.back());
    open.pop_back();
    add(std::move(value));
    return true;
  }
  bool part(string_view text) {
    partial.append(text.data(), text.size());
    return true;
  }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return begin(LocatedJson::Kind::object); }
  bool on_object_end(std::size_t, error_code&) { return end(); }
  bool on_array_begin(error_code&) { return begin(LocatedJson::Kind::array); }
  bool on_array_end(std::size_t, error_code&) { return end(); }
  bool on_key_part(string_view text, std::size_t, error_code&) { return part(text); }
  bool on_key(string_view text, std::size_t, error_code&) {
    part(text);
    keys.push_back({std::move(partial), line, {}});
    partial.clear();
    return true;
  }
  bool on_string_part(string_view text, std::size_t, error_code&) { return part(text); }
  bool on_string(string_view text, std::size_t, error_code&) {
    part(text);
    scalar(LocatedJson::Kind::string);
    return true;
  }
  bool on_number_part(string_view text, error_code&) { return part(text); }
  bool number(string_view text) {
    part(text);
    scalar(LocatedJson::Kind::number);
    return true;
  }
  bool on_int64(std::int64_t, string_view text, error_code&) { return number(text); }
  bool on_uint64(std::uint64_t, string_view text, error_code&) { return number(text); }
  bool on_double(double, string_view text, error_code&) { return number(text); }
  bool on_bool(bool value, error_code&) {
    scalar(LocatedJson::Kind::boolean, value);
    return true;
  }
  bool on_null(error_code&) {
    scalar(LocatedJson::Kind::null);
    return true;
  }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }
};

}  // namespace

const LocatedJson* LocatedJson::find(std::string_view key) const {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [key](const Member& member) { return member.key == key; });
  return found == members.end() ? nullptr : &found->value;
}

Failure at_line(std::string_view what, const std::string& path, int line,
                const std::string& problem, const std::string& hint) {
  return {Fault::configuration,
          std::string(what) + " " + path + ":" + std::to_string(line) + ": " + problem, hint};
}

LocatedJson parse_located(std::string_view given, std::string_view what, const std::string& path) {
  // Boost.JSON 1.81 reads past the end of a text that ends with a comment of several lines.
  const std::string text = std::string(given) + '\n';
  boost::json::parse_options options;
  options.allow_comments = true;
  boost::json::basic_parser<Handler> parser(options);
  Handler& handler = parser.handler();
  boost::json::error_code error;
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
    throw at_line(what, path, 1, "it is empty", "write a JSON object into it");
  }
  for (std::string_view rest = text; !rest.empty() && !error;) {
    const std::size_t length = rest.find('\n') + 1;
    const std::size_t used = parser.write_some(length < rest.size(), rest.data(), length, error);
    if (!error && used < length &&
        rest.substr(used, length - used).find_first_not_of(" \t\r\n") != std::string_view::npos) {
      error = boost::json::error::extra_data;
    }
    if (!error && length < rest.size()) ++handler.line;
    rest.remove_prefix(length);
  }
  if (!error && !parser.done()) error = boost::json::error::incomplete;
  if (error) {
    throw at_line(what, path, handler.line, "not JSON: " + error.message(),
                  "look at that line, or at the end of the one before it");
  }
  if (handler.repeated) {
    throw at_line(what, path, handler.repeated->line,
                  "key '" + handler.repeated->key + "' stands twice in one object",
                  "keep one of them");
  }
  return std::move(handler.root);
}

}  // namespace sluice
