// SPDX-License-Identifier: Apache-2.0
// An environment and AWS's two files in a folder of their own, for one test.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <stdlib.h>

#include "job/base/environment.h"
#include "job/base/failure.h"

namespace sluice {

class AwsFiles {
 public:
  AwsFiles() {
    char folder[] = "/tmp/sluice_aws_XXXXXX";
    require(::mkdtemp(folder) != nullptr, "no temporary folder");
    folder_ = folder;
    std::filesystem::create_directory(folder_ / ".aws");
    variables["HOME"] = folder_.string();
    variables["AWS_EC2_METADATA_DISABLED"] = "true";  // a test asks no host but its own
  }
  AwsFiles(const AwsFiles&) = delete;
  AwsFiles& operator=(const AwsFiles&) = delete;
  ~AwsFiles() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  void config(const std::string& text) { std::ofstream(folder_ / ".aws/config") << text; }
  void credentials(const std::string& text) { std::ofstream(folder_ / ".aws/credentials") << text; }

  /// Its path.
  std::string file(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }

  Environment environment() const {
    return [this](const char* name) {
      const auto at = variables.find(name);
      return at == variables.end() ? std::string() : at->second;
    };
  }

  std::map<std::string, std::string> variables;

 private:
  std::filesystem::path folder_;
};

}  // namespace sluice
