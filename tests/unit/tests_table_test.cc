// SPDX-License-Identifier: Apache-2.0
// tests/README.md says which test fails when what we promise does not hold. It names only tests
// that exist, and leaves nothing out.
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "job/base/text.h"
#include "tests/unit/test_names.h"

namespace sluice {
namespace {

/// Tests by label: the rows that begin with `| LABEL |`.
std::multimap<std::string, std::vector<std::string>> table() {
  const std::string text =
      content_of(std::filesystem::path(SLUICE_SOURCE_DIR) / "tests" / "README.md");
  const std::regex row(R"(\| ([A-Z]\d\d?) \|.*)");
  const std::regex test(R"(`(\w+\.\w+)`)");
  std::multimap<std::string, std::vector<std::string>> rows;
  for (const std::string_view view : split(text, '\n')) {
    const std::string line(view);
    std::smatch label;
    if (!std::regex_match(line, label, row)) continue;
    std::vector<std::string>& tests =
        rows.emplace(label[1].str(), std::vector<std::string>())->second;
    for (std::sregex_iterator at(line.begin(), line.end(), test), end; at != end; ++at) {
      tests.push_back((*at)[1].str());
    }
  }
  return rows;
}

/// Promises, sentences of the protocol, holes, classes of failure, and those the design adds.
std::set<std::string> labels() {
  std::set<std::string> labels;
  for (int i = 1; i <= 10; ++i) labels.insert("G" + std::to_string(i));
  for (int i = 1; i <= 14; ++i) labels.insert("S" + std::to_string(i));
  for (int i = 1; i <= 12; ++i) labels.insert("H" + std::to_string(i));
  for (int i = 1; i <= 5; ++i) labels.insert("D" + std::to_string(i));
  for (int i = 1; i <= 66; ++i) {
    if (i != 64) labels.insert((i < 10 ? "F0" : "F") + std::to_string(i));  // 64 was given up
  }
  return labels;
}

TEST(TestsTable, every_promise_and_every_class_of_failure_stands_in_it_once) {
  const auto rows = table();
  for (const std::string& label : labels()) EXPECT_EQ(rows.count(label), 1U) << label;
  for (const auto& [label, tests] : rows) EXPECT_TRUE(labels().contains(label)) << label;
}

TEST(TestsTable, each_row_names_tests_and_each_of_them_exists) {
  const std::set<std::string> known = test_names();
  for (const auto& [label, tests] : table()) {
    EXPECT_FALSE(tests.empty()) << label;
    for (const std::string& test : tests) EXPECT_TRUE(known.contains(test)) << label << " " << test;
  }
}

}  // namespace
}  // namespace sluice
