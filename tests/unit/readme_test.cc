// SPDX-License-Identifier: Apache-2.0
// What the README says is what the program does: its tables come from the program's own, its
// commands parse, and each promise names a test that exists.
#include <filesystem>
#include <regex>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "job/base/failure.h"
#include "job/base/text.h"
#include "job/cli/command.h"
#include "tests/unit/test_names.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

const std::string& readme() {
  static const std::string kText = content_of(fs::path(SLUICE_SOURCE_DIR) / "README.md");
  return kText;
}

std::string block(const std::string& name) {
  const std::string begin = "<!-- " + name + " -->\n";
  const std::size_t from = readme().find(begin) + begin.size();
  return readme().substr(from, readme().find("<!-- /" + name + " -->") - from);
}

/// The words of each line of a `sh` block that begins with `program`.
std::vector<std::vector<std::string>> lines_of(const std::string& program) {
  std::vector<std::vector<std::string>> lines;
  bool shell = false;
  for (const std::string_view line : split(readme(), '\n')) {
    if (line.starts_with("```")) shell = line == "```sh";
    if (!shell || !line.starts_with(program + " ")) continue;
    auto& words = lines.emplace_back();
    for (const std::string_view word : split(line.substr(0, line.find('#')), ' ')) {
      if (!word.empty()) words.emplace_back(word);
    }
  }
  return lines;
}

TEST(Readme, its_table_of_commands_is_the_programs) {
  std::string expected = "| Command | Does | Needs |\n|---|---|---|\n";
  for (const Command& command : commands()) {
    expected += "| `" + std::string(command.name) + "` | " + std::string(command.about) + " | " +
                std::string(command.needs) + " |\n";
  }
  EXPECT_EQ(block("commands"), expected);
}

TEST(Readme, its_table_of_exit_statuses_is_the_programs) {
  std::string expected = "| Status | Meaning | Run it again? | What next |\n|---|---|---|---|\n";
  for (const ExitStatus& row : exit_statuses()) {
    expected += "| " + std::to_string(row.status) + " | " + std::string(row.meaning) + " | " +
                std::string(name_of(row.retry)) + " | " + std::string(row.what_next) + " |\n";
  }
  EXPECT_EQ(block("exit statuses"), expected);
}

TEST(Readme, each_of_its_commands_is_understood) {
  const auto lines = lines_of("sluice");
  EXPECT_GE(lines.size(), 7U);
  for (const auto& words : lines) {
    const std::vector<std::string> arguments(words.begin() + 2, words.end());
    EXPECT_NO_THROW(Settings(words.at(1), arguments, [](const char*) { return std::string(); }))
        << words.at(1);
  }
}

TEST(Readme, each_of_its_make_targets_exists) {
  const std::string makefile = content_of(fs::path(SLUICE_SOURCE_DIR) / "Makefile");
  const auto lines = lines_of("make");
  EXPECT_GE(lines.size(), 2U);
  for (const auto& words : lines)
    EXPECT_NE(makefile.find("\n" + words.at(1) + ":"), std::string::npos) << words.at(1);
}

TEST(Readme, each_promise_names_a_test_that_exists) {
  const std::set<std::string> tests = test_names();
  const std::regex named(R"(\| `(\w+\.\w+)` \|)");
  int promises = 0;
  for (std::sregex_iterator at(readme().begin(), readme().end(), named), end; at != end;
       ++at, ++promises) {
    EXPECT_TRUE(tests.count((*at)[1].str())) << (*at)[1].str();
  }
  EXPECT_GE(promises, 10);
}

TEST(Help, lists_each_option_that_a_command_takes) {
  for (const Command& command : commands()) {
    const std::string help = options_help(command.name);
    for (const Option& option : options()) {
      const bool listed = help.find("--" + std::string(option.name) + " ") != std::string::npos;
      EXPECT_EQ(listed, option.is_for(command.name)) << command.name << " --" << option.name;
    }
  }
}

TEST(Help, each_option_belongs_to_commands_that_exist) {
  for (const Option& option : options()) {
    for (const std::string_view name : split(option.commands, ' ')) {
      const bool known =
          name.empty() || std::any_of(commands().begin(), commands().end(),
                                      [&](const Command& each) { return each.name == name; });
      EXPECT_TRUE(known) << option.name << " is for " << name;
    }
  }
}

}  // namespace
}  // namespace sluice
