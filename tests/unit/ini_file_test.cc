// SPDX-License-Identifier: Apache-2.0
#include "job/aws/ini_file.h"

#include <gtest/gtest.h>

#include "job/base/failure.h"

namespace sluice {
namespace {

IniFile read(const std::string& text) { return {Secret(text), "AWS config file x"}; }

std::string value(const IniFile& file, std::string_view section, std::string_view key) {
  const IniFile::Section* const found = file.section(section);
  if (found == nullptr) return "no section";
  const auto at = found->find(key);
  return at == found->end() ? "no key" : std::string(at->second.value);
}

std::string refusal(const std::string& text) {
  try {
    read(text);
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.fault(), Fault::configuration);
    return failure.message();
  }
  return "accepted";
}

TEST(IniFile, blanks_before_the_first_word_of_a_section_are_no_part_of_it) {
  const IniFile file = read("[\" a\"]\nkey = value\n[\"\"]\n");
  EXPECT_EQ(value(file, "a", "key"), "value");
}

TEST(IniFile, sections_keys_and_comments_are_read) {
  const IniFile file = read(
      "# a comment\n"
      "[default]\n"
      "region = us-east-1\n"
      "; another\n"
      "\n"
      "Output=json\r\n"
      "[profile  \"night shift\"] # said of it\n"
      "credential_process = /usr/bin/get --for \"a b\" # c\n");
  EXPECT_EQ(value(file, "default", "region"), "us-east-1");
  EXPECT_EQ(value(file, "default", "output"), "json");
  EXPECT_EQ(value(file, "profile night shift", "credential_process"),
            "/usr/bin/get --for \"a b\" # c");
  EXPECT_EQ(file.section("profile other"), nullptr);
}

TEST(IniFile, a_value_may_hold_equals_signs_and_spaces) {
  EXPECT_EQ(value(read("[a]\naws_secret_access_key = x/y+z==\n"), "a", "aws_secret_access_key"),
            "x/y+z==");
}

TEST(IniFile, deeper_lines_below_a_key_without_value_are_keys_of_its_own) {
  const IniFile file = read(
      "[services local]\n"
      "sqs =\n"
      "  endpoint_url = http://localhost:9324\n"
      "  # of it\n"
      "  other = 1\n"
      "s3 =\n"
      "  endpoint_url = http://localhost:9000\n"
      "plain = 1\n");
  const IniFile::Section& services = *file.section("services local");
  EXPECT_EQ(services.at("sqs").nested.at("endpoint_url"), "http://localhost:9324");
  EXPECT_EQ(services.at("sqs").nested.at("other"), "1");
  EXPECT_EQ(services.at("s3").nested.at("endpoint_url"), "http://localhost:9000");
  EXPECT_EQ(services.at("plain").value, "1");
}

TEST(IniFile, a_section_may_be_indented_as_a_whole) {
  const IniFile file = read("[default]\n  region = us-east-1\n  output = json\n");
  EXPECT_EQ(value(file, "default", "region"), "us-east-1");
  EXPECT_EQ(value(file, "default", "output"), "json");
}

TEST(IniFile, a_value_may_go_on_in_deeper_lines) {
  EXPECT_EQ(value(read("[a]\nkey = one\n  two\nnext = 3\n"), "a", "key"), "one\n  two");
}

TEST(IniFile, copies_outlive_the_original) {
  IniFile copy;
  {
    const IniFile original = read("[a]\nk = v\n");
    copy = original;
  }
  EXPECT_EQ(value(copy, "a", "k"), "v");
}

TEST(IniFile, what_is_no_ini_is_refused_by_line_and_without_its_text) {
  EXPECT_EQ(refusal("[a]\nsecret-word\n"),
            "AWS config file x: line 2: neither a section nor key = value");
  EXPECT_EQ(refusal("[a\n"), "AWS config file x: line 1: a section without its bracket");
  EXPECT_EQ(refusal("[a] b\n"), "AWS config file x: line 1: text after a section");
  EXPECT_EQ(refusal("k = v\n"), "AWS config file x: line 1: a key before the first section");
  EXPECT_EQ(refusal("[a]\n= v\n"), "AWS config file x: line 2: neither a section nor key = value");
  EXPECT_EQ(refusal("[a]\n[b]\n[a]\n"), "AWS config file x: line 3: a section for the second time");
  EXPECT_EQ(refusal("[a]\nk = 1\nK = 2\n"), "AWS config file x: line 3: a key for the second time");
}

TEST(IniFile, empty_text_has_no_sections) { EXPECT_EQ(read("").section("default"), nullptr); }

}  // namespace
}  // namespace sluice
