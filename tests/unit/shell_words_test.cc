// SPDX-License-Identifier: Apache-2.0
#include "job/aws/shell_words.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using Words = std::vector<std::string>;

/// The expectations are what Python's shlex.split answered.
TEST(ShellWords, lines_are_split_as_python_splits_them) {
  const std::vector<std::pair<std::string, Words>> rows = {
      {"", {}},
      {"a b", {"a", "b"}},
      {"a  'b c' \"d e\"", {"a", "b c", "d e"}},
      {R"(a\ b c)", {"a b", "c"}},
      {R"("a\"b\\c\d")", {R"(a"b\c\d)"}},
      {R"('a\b')", {R"(a\b)"}},
      {R"('a\')", {R"(a\)"}},
      {R"('a\\b')", {R"(a\\b)"}},
      {R"(a"b"c)", {"abc"}},
      {"\"\"", {""}},
      {"a '' b", {"a", "", "b"}},
      {"a\tb\nc", {"a", "b", "c"}},
      {"a#b #c", {"a#b", "#c"}},
      {"$HOME `x` | y > z", {"$HOME", "`x`", "|", "y", ">", "z"}},
      {R"(x"$A"\$)", {"x$A$"}},
  };
  for (const auto& [line, words] : rows) {
    ASSERT_TRUE(shell_words(line)) << line;
    EXPECT_EQ(*shell_words(line), words) << line;
  }
}

TEST(ShellWords, what_is_not_closed_is_no_line) {
  for (const char* line : {"'unclosed", "\"unclosed", "end\\", "\"un\\", "a 'b\" c"}) {
    EXPECT_FALSE(shell_words(line)) << line;
  }
}

}  // namespace
}  // namespace sluice
