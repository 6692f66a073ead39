// SPDX-License-Identifier: Apache-2.0
#include "tests/support/small_disk.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include <unistd.h>

namespace sluice {
namespace {

bool is_root() { return ::geteuid() == 0; }

/// Root mounts in a namespace of its own; anybody else needs a user namespace for that.
std::string unshare() { return is_root() ? "unshare -m " : "unshare -rm "; }

std::string filler_in(const std::string& folder) { return folder + "/filler"; }

}  // namespace

bool SmallDisk::is_allowed() {
  const std::string command = unshare() + "mount -t tmpfs tmpfs /mnt 2> /dev/null";
  return std::system(command.c_str()) == 0;
}

SmallDisk::SmallDisk(std::string folder, int mib) : folder_(std::move(folder)) {
  const std::string pid_file = folder_ + ".pid";
  const std::string mount = "mount -t tmpfs -o mode=0777,size=" + std::to_string(mib) + "m tmpfs " +
                            folder_ + " && echo $$ > " + pid_file + " && exec cat";
  holder_ = ::popen((unshare() + "sh -c '" + mount + "'").c_str(), "we");
  if (holder_ == nullptr) throw std::runtime_error("popen failed");
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!(std::ifstream(pid_file) >> pid_)) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error("cannot mount a disk");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

SmallDisk::~SmallDisk() { ::pclose(holder_); }

std::vector<std::string> SmallDisk::before() const {
  std::vector<std::string> words = {"nsenter", "-t", std::to_string(pid_), "-m"};
  if (!is_root()) words.insert(words.end(), {"-U", "--preserve-credentials"});
  return words;
}

std::string SmallDisk::from_outside() const {
  return "/proc/" + std::to_string(pid_) + "/root" + folder_;
}

void SmallDisk::fill() const {
  constexpr std::size_t kPage = 4096;
  std::ofstream filler(filler_in(from_outside()), std::ios::binary | std::ios::app);
  const std::string page(kPage, 'x');
  while (filler << page << std::flush) {
  }
}

void SmallDisk::make_room() const { std::filesystem::remove(filler_in(from_outside())); }

void SmallDisk::remount(const std::string& options) const {
  std::string command;
  for (const std::string& word : before()) command += word + " ";
  command += "mount -o remount," + options + " " + folder_;
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

}  // namespace sluice
