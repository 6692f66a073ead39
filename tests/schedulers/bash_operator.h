// SPDX-License-Identifier: Apache-2.0
// A parent that treats its child as Airflow's BashOperator does: `bash -c COMMAND` in a session of
// its own, SIGPIPE as the system has it, one pipe for both outputs, a temporary working directory.
// A stop is SIGTERM to the group; a parent that is killed takes the reader of the pipe with it.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "tests/support/program.h"

namespace sluice {

class BashOperator {
 public:
  /// `command` finds `sluice` in its PATH, and has exactly these variables beside it.
  BashOperator(const std::string& command, const Program::Variables& variables);
  /// Kills the child if it still runs, and removes the directory.
  ~BashOperator();
  BashOperator(const BashOperator&) = delete;
  BashOperator& operator=(const BashOperator&) = delete;

  void terminate() const;
  /// Takes no more from the pipe, which is full when this returns: of empty lines.
  void stop_reading();
  void read_on();
  /// From now on nobody can read.
  void close_pipe();
  void delete_working_directory() const;

  bool has_ended() const;
  /// Its end; `out` is what was read. After `at_most` the group is killed, and std::runtime_error
  /// says what was read.
  Outcome wait(std::chrono::milliseconds at_most = std::chrono::seconds(60));
  pid_t pid() const { return pid_; }

 private:
  void read();
  void kill() const;

  std::string directory_;
  pid_t pid_ = -1;
  int pipe_ = -1;  // the end that is read
  std::atomic<bool> reads_ = false;
  std::string read_;
  std::thread reader_;
};

}  // namespace sluice
