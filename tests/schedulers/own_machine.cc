// SPDX-License-Identifier: Apache-2.0
#include "tests/schedulers/own_machine.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/schedulers/wait_until.h"

namespace sluice {
namespace {

const std::string kScript = SLUICE_SOURCE_DIR "/tests/schedulers/own_machine.sh ";

std::string new_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "sluice-machine-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  return name;
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::string OwnMachine::obstacle() {
  FILE* said = ::popen((kScript + "try").c_str(), "re");
  std::string line(200, '\0');
  line.resize(std::fread(line.data(), 1, line.size(), said));
  return ::pclose(said) == 0 ? "" : line;
}

// No child of ours: whoever kills this test and all its children leaves it, and it cleans up.
OwnMachine::OwnMachine(const std::string& init)
    : folder_(new_folder()),
      keeper_(::popen(("setsid --fork " + kScript + "keep " + folder_ + " '" + init + "'").c_str(),
                      "we")) {
  if (keeper_ == nullptr) throw std::runtime_error("popen failed");
  wait_until([this] {
    return std::ifstream(folder_ + "/pid") >> init_ && std::filesystem::exists(outside("/ready"));
  });
}

OwnMachine::~OwnMachine() {
  ::pclose(keeper_);
  wait_until([this] { return !std::filesystem::exists(folder_); });
}

std::string OwnMachine::outside(const std::string& path) const {
  return "/proc/" + std::to_string(init_) + "/root" + path;
}

std::string OwnMachine::read(const std::string& path) const { return content_of(outside(path)); }

void OwnMachine::write(const std::string& path, const std::string& content, mode_t mode) const {
  const std::filesystem::path file = outside(path);
  std::filesystem::create_directories(file.parent_path());
  if (!(std::ofstream(file, std::ios::binary) << content)) throw std::runtime_error("no " + path);
  ::chmod(file.c_str(), mode);
}

void OwnMachine::copy(const std::string& from, const std::string& path) const {
  struct stat about {};
  ::stat(from.c_str(), &about);
  write(path, content_of(from), about.st_mode & 07777);
}

Outcome OwnMachine::shell(const std::string& script) const {
  write("/run/script", script);
  const std::string command = "nsenter --target " + std::to_string(init_) +
                              " --mount --pid --uts --ipc sh -e /run/script > " + folder_ +
                              "/said 2>&1 < /dev/null";
  const int status = std::system(command.c_str());
  return {WEXITSTATUS(status), content_of(folder_ + "/said"), ""};
}

std::string OwnMachine::run(const std::string& script) const {
  const Outcome outcome = shell(script);
  if (outcome.status != 0) throw std::runtime_error(script + ":\n" + outcome.out);
  return outcome.out;
}

}  // namespace sluice
