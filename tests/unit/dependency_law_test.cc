// SPDX-License-Identifier: Apache-2.0
// Who may include whom. The house stays readable as long as data flows one way and each vendor has
// one door.
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace {

namespace fs = std::filesystem;

/// Folder → folders of ours that it may include, beside itself.
const std::map<std::string, std::set<std::string>> kLaw = {
    {"checkpoint", {}},
    {"job/base", {}},
    {"job/config", {"job/base"}},
    {"job/http", {"job/base"}},
    {"job/aws", {"job/base", "job/http"}},
    {"job/queue", {"job/base", "job/http", "job/aws"}},
    {"job/record", {"job/base", "job/config", "job/queue"}},
    {"job/mask", {"job/base", "job/config", "job/queue", "job/record", "checkpoint"}},
    {"job/archive",
     {"job/base", "job/config", "job/queue", "job/record", "job/mask", "checkpoint"}},
    {"job/warehouse", {"job/base", "job/config", "checkpoint"}},
    {"job/pipeline", {"job/base", "job/mask", "job/queue", "job/warehouse", "checkpoint"}},
    {"job/announce", {"job/base", "job/config", "job/http", "job/pipeline"}},
    {"job/cli",
     {"job/base", "job/announce", "job/config", "job/aws", "job/queue", "job/record", "job/mask",
      "job/archive", "job/warehouse", "job/pipeline", "checkpoint"}},
    {"job", {"job/base", "job/cli"}},  // main.cc
};

/// Vendor header → the folders that may include it.
const std::map<std::string, std::set<std::string>> kVendors = {
    {"curl/", {"job/http"}},
    {"libpq-fe.h", {"job/warehouse"}},
    {"sqlite3.h", {"checkpoint"}},
    {"utf8proc.h", {"job/mask", "job/record"}},
    {"zlib.h", {"job/record", "job/archive"}},
    {"zstd", {"job/archive"}},
    {"openssl/", {"checkpoint", "job/config", "job/aws", "job/queue", "job/mask"}},
    {"boost/program_options", {"job/config"}},
    {"boost/json",
     {"job/base", "job/config", "job/aws", "job/queue", "job/record", "job/mask", "job/pipeline",
      "job/announce", "job/cli"}},
    {"boost/beast", {}},
    {"boost/asio", {}},
};

/// Of the queue and warehouse, the heart knows the seam and nothing behind it.
const std::set<std::string> kSeams = {"job/queue/queue.h", "job/warehouse/warehouse.h"};

std::string folder_of(const fs::path& file) { return file.parent_path().generic_string(); }

template <typename Check>
void for_each_include(Check check) {
  const fs::path root = SLUICE_SOURCE_DIR;
  const std::regex include(R"(^\s*#include\s+([<"])([^>"]+)[>"])");
  int files = 0;
  for (const char* top : {"job", "checkpoint"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cc") continue;
      ++files;
      const fs::path file = fs::relative(entry.path(), root);
      std::ifstream text(entry.path());
      for (std::string line; std::getline(text, line);) {
        std::smatch match;
        if (std::regex_search(line, match, include)) check(file, match[1] == "\"", match[2].str());
      }
    }
  }
  EXPECT_GT(files, 50);
}

TEST(DependencyLaw, each_folder_includes_only_what_lies_below_it) {
  for_each_include([](const fs::path& file, bool ours, const std::string& included) {
    if (!ours) return;
    const std::string from = folder_of(file);
    const std::string to = folder_of(included);
    ASSERT_TRUE(kLaw.count(from)) << file << ": a folder without a law";
    EXPECT_TRUE(from == to || kLaw.at(from).count(to)) << file << " includes " << included;
  });
}

TEST(DependencyLaw, each_vendor_has_one_door) {
  for_each_include([](const fs::path& file, bool, const std::string& included) {
    for (const auto& [vendor, folders] : kVendors) {
      if (!included.starts_with(vendor)) continue;
      EXPECT_TRUE(folders.count(folder_of(file))) << file << " includes " << included;
    }
  });
}

TEST(DependencyLaw, the_heart_knows_the_seams_and_nothing_behind_them) {
  for_each_include([](const fs::path& file, bool, const std::string& included) {
    if (folder_of(file) != "job/pipeline") return;
    const bool outside =
        included.starts_with("job/queue/") || included.starts_with("job/warehouse/");
    EXPECT_TRUE(!outside || kSeams.count(included)) << file << " includes " << included;
  });
}

}  // namespace
