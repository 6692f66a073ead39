// SPDX-License-Identifier: Apache-2.0
#include "tests/schedulers/bash_operator.h"

#include <array>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice {
namespace {

std::string new_directory() {
  std::string name = (std::filesystem::temp_directory_path() / "airflowtmpXXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  return name;
}

std::vector<std::string> environment_of(const Program::Variables& variables) {
  const char* binary = std::getenv("SLUICE_BINARY");
  const char* path = std::getenv("PATH");
  if (binary == nullptr || path == nullptr) {
    throw std::runtime_error("SLUICE_BINARY is not set; run the tests with ctest");
  }
  std::vector<std::string> environment = {
      "PATH=" + std::filesystem::path(binary).parent_path().string() + ":" + path};
  for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
  return environment;
}

}  // namespace

BashOperator::BashOperator(const std::string& command, const Program::Variables& variables)
    : directory_(new_directory()) {
  std::vector<std::string> environment = environment_of(variables);
  std::vector<char*> pointers;
  for (std::string& each : environment) pointers.push_back(each.data());
  pointers.push_back(nullptr);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  pipe_ = ends[0];
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) {
    ::setsid();
    std::signal(SIGPIPE, SIG_DFL);
    if (::chdir(directory_.c_str()) != 0) ::_exit(126);
    ::dup2(ends[1], STDOUT_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    ::execle("/bin/bash", "bash", "-c", command.c_str(), nullptr, pointers.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  read_on();
}

BashOperator::~BashOperator() {
  if (pid_ > 0) {
    kill();
    ::waitpid(pid_, nullptr, 0);
  }
  close_pipe();
  delete_working_directory();
}

void BashOperator::terminate() const { ::killpg(pid_, SIGTERM); }

void BashOperator::kill() const { ::killpg(pid_, SIGKILL); }

void BashOperator::stop_reading() {
  reads_ = false;
  if (reader_.joinable()) reader_.join();
  // Opened anew: O_NONBLOCK belongs to what was opened, and the child's must not have it.
  const std::string name = "/proc/self/fd/" + std::to_string(pipe_);
  const int end = ::open(name.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  const std::string lines(PIPE_BUF, '\n');
  for (const std::size_t size : {lines.size(), std::size_t{1}}) {
    while (::write(end, lines.data(), size) > 0) {
    }
  }
  ::close(end);
}

void BashOperator::read_on() {
  reads_ = true;
  reader_ = std::thread([this] { read(); });
}

void BashOperator::read() {
  std::array<char, 65536> piece{};
  while (reads_) {
    pollfd pipe{pipe_, POLLIN, 0};
    if (::poll(&pipe, 1, 10) == 0) continue;
    const ssize_t size = ::read(pipe_, piece.data(), piece.size());
    if (size <= 0) return;  // every writer is gone
    read_.append(piece.data(), static_cast<std::size_t>(size));
  }
}

void BashOperator::close_pipe() {
  reads_ = false;
  if (reader_.joinable()) reader_.join();
  if (pipe_ >= 0) ::close(pipe_);
  pipe_ = -1;
}

void BashOperator::delete_working_directory() const { std::filesystem::remove_all(directory_); }

bool BashOperator::has_ended() const {
  siginfo_t info{};
  const int answer = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
  return answer != 0 || info.si_pid == pid_;
}

Outcome BashOperator::wait(std::chrono::milliseconds at_most) {
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  bool in_time = true;
  while (in_time && !has_ended()) {
    in_time = std::chrono::steady_clock::now() < deadline;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  if (!in_time) kill();
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  if (reader_.joinable()) reader_.join();
  if (!in_time) throw std::runtime_error("did not end in time:\n" + read_);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read_, ""};
}

}  // namespace sluice
