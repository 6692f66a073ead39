// SPDX-License-Identifier: Apache-2.0
// replay TARGET PATH…: each file once, as it is, with any compiler. What was found stays found.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/targets.h"

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_in(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files(fs::directory_iterator{path}, fs::directory_iterator{});
  std::sort(files.begin(), files.end());
  return files;
}

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) {
    std::cerr << "replay TARGET PATH…\n";
    return 2;
  }
  const sluice::fuzz::Target& target = sluice::fuzz::target_named(words[1]);
  int files = 0;
  for (int i = 2; i < count; ++i) {
    for (const fs::path& path : files_in(words[i])) {
      std::cout << path.filename().string() << std::endl;  // before it: it may be the last
      target.run(content_of(path));
      ++files;
    }
  }
  return files > 0 ? 0 : 1;
}
