// SPDX-License-Identifier: Apache-2.0
// The real program as a child process: $SLUICE_BINARY names it.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include <boost/json/object.hpp>
#include <sys/types.h>

namespace sluice {

/// How a process ended, and what it said.
struct Outcome {
  int status = 0;  // what a shell shows: 137 after SIGKILL
  std::string out;
  std::string err;
  /// The last line of standard output as JSON; empty when it is none.
  boost::json::object summary() const;
  std::int64_t count(const std::string& name) const;  // of the summary's counts
};

class Program {
 public:
  using Variables = std::map<std::string, std::string>;

  /// Starts $SLUICE_BINARY in `folder`, in a process group of its own, with exactly these variables
  /// and PATH. `before` is a command that runs it, such as strace with its flags.
  Program(const std::string& folder, const std::vector<std::string>& arguments,
          const Variables& variables, const std::vector<std::string>& before = {});
  /// Kills it if it still runs.
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void signal(int number) const;
  /// SIGKILL, to it and to whatever runs it.
  void kill() const;
  /// On standard error, so far.
  std::string said() const;
  /// Whether `wait` would return at once.
  bool has_ended() const;
  /// Waits for its end; after `at_most` it is killed and std::runtime_error says what it had said.
  Outcome wait(std::chrono::milliseconds at_most = std::chrono::seconds(60));
  pid_t pid() const { return pid_; }

 private:
  std::string folder_;
  std::string name_;
  pid_t pid_ = -1;
};

}  // namespace sluice
