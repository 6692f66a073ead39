// SPDX-License-Identifier: Apache-2.0
// The command line of a credential_process.
#include "job/aws/shell_words.h"
#include "tests/fuzz/properties.h"
#include "tests/fuzz/targets.h"

namespace sluice::fuzz {
namespace {

std::string quoted(std::string_view word) {
  std::string out = "\"";
  for (const char c : word) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace

void shell_words(std::string_view input) {
  const auto words = sluice::shell_words(input);
  if (!words) return;
  std::string line;
  std::size_t size = 0;
  for (const std::string& word : *words) {
    line += ' ' + quoted(word);
    size += word.size();
  }
  must_hold(size <= input.size(), "words are what stood there");
  must_hold(sluice::shell_words(line) == words, "words in quotes are the same words");
}

}  // namespace sluice::fuzz
