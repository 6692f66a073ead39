// SPDX-License-Identifier: Apache-2.0
#include "job/aws/ini_file.h"

#include <algorithm>

#include "job/base/failure.h"
#include "job/base/text.h"

namespace sluice {
namespace {

constexpr std::string_view kBlank = " \t\r";

/// `profile "my name"` is `profile my name`.
std::string section_name(std::string_view words) {
  std::string name;
  for (const char c : trim_ascii(words)) {
    if (c == '"' || c == '\'') continue;
    const bool blank = kBlank.find(c) != std::string_view::npos;
    if (!blank) {
      name += c;
    } else if (!name.empty() && name.back() != ' ') {
      name += ' ';
    }
  }
  return name;
}

/// Reads line by line; what the next line means depends on the section, the key and its
/// indentation.
class Reader {
 public:
  Reader(std::map<std::string, IniFile::Section, std::less<>>& sections, std::string_view what)
      : sections_(sections), what_(what) {}

  void read(std::string_view line) {
    ++number_;
    const std::string_view text = trim_ascii(line);
    if (text.empty() || text.front() == '#' || text.front() == ';') return;
    const std::size_t indent = line.find_first_not_of(kBlank);
    if (entry_ != nullptr && indent > indent_) {
      read_deeper(text);
    } else if (text.front() == '[') {
      read_section(text);
    } else {
      read_key(text, indent);
    }
  }

 private:
  void read_section(std::string_view text) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) refuse("a section without its bracket");
    const std::string_view rest = trim_ascii(text.substr(end + 1));
    if (!rest.empty() && rest.front() != '#' && rest.front() != ';') refuse("text after a section");
    const auto [at, fresh] = sections_.try_emplace(section_name(text.substr(1, end - 1)));
    if (!fresh) refuse("a section for the second time");
    section_ = &at->second;
    entry_ = nullptr;
  }

  void read_key(std::string_view text, std::size_t indent) {
    if (section_ == nullptr) refuse("a key before the first section");
    const auto [key, value] = parted(text);
    const auto [at, fresh] = section_->try_emplace(key, IniFile::Entry{value, {}});
    if (!fresh) refuse("a key for the second time");
    entry_ = &at->second;
    indent_ = indent;
  }

  void read_deeper(std::string_view text) {
    if (entry_->value.empty()) {
      const auto [key, value] = parted(text);
      entry_->nested.insert_or_assign(key, value);
    } else {  // a value that goes on, up to the end of this line
      const char* const begin = entry_->value.data();
      entry_->value = {begin, static_cast<std::size_t>(text.data() + text.size() - begin)};
    }
  }

  std::pair<std::string, std::string_view> parted(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      refuse("neither a section nor key = value");
    }
    return {lower_ascii(trim_ascii(text.substr(0, equals))), trim_ascii(text.substr(equals + 1))};
  }

  [[noreturn]] void refuse(std::string_view why) {
    throw Failure(
        Fault::configuration,
        std::string(what_) + ": line " + std::to_string(number_) + ": " + std::string(why),
        "mend that line");
  }

  std::map<std::string, IniFile::Section, std::less<>>& sections_;
  std::string_view what_;
  std::size_t number_ = 0;
  IniFile::Section* section_ = nullptr;
  IniFile::Entry* entry_ = nullptr;
  std::size_t indent_ = 0;
};

}  // namespace

IniFile::IniFile(Secret text, std::string_view what)
    : text_(std::make_shared<const Secret>(std::move(text))) {
  Reader reader(sections_, what);
  for (const std::string_view line : split(text_->reveal(), '\n')) reader.read(line);
}

const IniFile::Section* IniFile::section(std::string_view name) const {
  const auto at = sections_.find(name);
  return at == sections_.end() ? nullptr : &at->second;
}

}  // namespace sluice
