// SPDX-License-Identifier: Apache-2.0
// A folder for archives of a test.
#pragma once

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <stdlib.h>

namespace sluice {

class ArchiveFolder : public ::testing::Test {
 protected:
  ArchiveFolder() {
    std::string name = std::filesystem::temp_directory_path() / "sluice-archive-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = name;
  }
  ~ArchiveFolder() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ / name; }
  /// Its path.
  std::string write(const std::string& name, std::string_view content) const {
    std::ofstream(path(name), std::ios::binary | std::ios::trunc) << content;
    return path(name);
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace sluice
