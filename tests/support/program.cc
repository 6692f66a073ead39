// SPDX-License-Identifier: Apache-2.0
#include "tests/support/program.h"

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include <boost/json.hpp>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice {
namespace {

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr)
    throw std::runtime_error(std::string(name) + " is not set; run the tests with ctest");
  return value;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

void send_output_to(const std::string& path, int descriptor) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::dup2(file, descriptor);
  ::close(file);
}

}  // namespace

boost::json::object Outcome::summary() const {
  const std::size_t end = out.find_last_not_of('\n');
  if (end == std::string::npos) return {};
  const std::size_t begin = out.rfind('\n', end) + 1;
  boost::json::error_code error;
  const auto value = boost::json::parse(out.substr(begin, end + 1 - begin), error);
  return !error && value.is_object() ? value.as_object() : boost::json::object{};
}

std::int64_t Outcome::count(const std::string& name) const {
  const auto all = summary();
  if (!all.contains("counts")) throw std::runtime_error("no summary:\n" + out + err);
  return all.at("counts").as_object().at(name).to_number<std::int64_t>();
}

Program::Program(const std::string& folder, const std::vector<std::string>& arguments,
                 const Variables& variables, const std::vector<std::string>& before)
    : folder_(folder) {
  static std::atomic<int> started = 0;
  name_ = folder + "/process-" + std::to_string(++started);
  std::vector<std::string> words = before;
  words.push_back(variable("SLUICE_BINARY"));
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment = {"PATH=" + variable("PATH")};
  for (const auto& [key, value] : variables) environment.push_back(key + "=" + value);
  const auto word_pointers = pointers_to(words);
  const auto environment_pointers = pointers_to(environment);

  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ > 0) {
    ::setpgid(pid_, pid_);  // here too: whoever kills at once must find the group
    return;
  }
  ::setpgid(0, 0);
  if (::chdir(folder_.c_str()) != 0) ::_exit(126);
  send_output_to("/dev/null", STDIN_FILENO);
  send_output_to(name_ + ".out", STDOUT_FILENO);
  send_output_to(name_ + ".err", STDERR_FILENO);
  ::execvpe(word_pointers[0], word_pointers.data(), environment_pointers.data());
  ::_exit(127);
}

Program::~Program() {
  if (pid_ <= 0) return;
  kill();
  ::waitpid(pid_, nullptr, 0);
}

void Program::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

void Program::kill() const {
  if (pid_ > 0) ::killpg(pid_, SIGKILL);
}

std::string Program::said() const { return content_of(name_ + ".err"); }

bool Program::has_ended() const {
  siginfo_t info{};
  const int answer = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
  return answer != 0 || info.si_pid == pid_;
}

Outcome Program::wait(std::chrono::milliseconds at_most) {
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  int status = 0;
  bool in_time = true;
  while (::waitpid(pid_, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > deadline) {
      in_time = false;
      kill();
      ::waitpid(pid_, &status, 0);
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  pid_ = -1;
  Outcome outcome{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
                  content_of(name_ + ".out"), content_of(name_ + ".err")};
  if (!in_time) throw std::runtime_error("did not end in time:\n" + outcome.out + outcome.err);
  return outcome;
}

}  // namespace sluice
