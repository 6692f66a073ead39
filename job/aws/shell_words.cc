// SPDX-License-Identifier: Apache-2.0
#include "job/aws/shell_words.h"

#include <utility>

namespace sluice {

std::optional<std::vector<std::string>> shell_words(std::string_view line) {
  std::vector<std::string> words;
  std::optional<std::string> word;
  char quote = '\0';
  const auto add = [&](char c) { word = std::move(word).value_or("") + c; };
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (quote != '\0' && c == quote) {
      quote = '\0';
    } else if (c == '\\' && quote != '\'') {
      if (++i == line.size()) return std::nullopt;
      if (quote != '\0' && line[i] != quote && line[i] != '\\') add('\\');
      add(line[i]);
    } else if (quote == '\0' && (c == '\'' || c == '"')) {
      quote = c;
      word = std::move(word).value_or("");
    } else if (quote != '\0' || !blank) {
      add(c);
    } else if (word) {
      words.push_back(std::move(*word));
      word.reset();
    }
  }
  if (quote != '\0') return std::nullopt;
  if (word) words.push_back(std::move(*word));
  return words;
}

}  // namespace sluice
