// SPDX-License-Identifier: Apache-2.0
#include "tests/crash/crash_world.h"

#include <array>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "checkpoint/glance.h"

namespace sluice {
namespace {

constexpr int kKilled = 137;
constexpr auto kPause = std::chrono::milliseconds(5);
constexpr std::array kFiles = {"", "-journal"};

/// Each system call is counted by itself. Not with --seccomp-bpf: there the signal is lost.
std::vector<std::string> kill_at(const std::string& system_call, int time) {
  const std::string inject = ":signal=SIGKILL:when=" + std::to_string(time);
  std::vector<std::string> words = {"strace", "-f", "-qq", "-o", "/dev/null"};
  words.insert(words.end(), {"-e", "trace=" + system_call, "-e", "inject=" + system_call + inject});
  return words;
}

}  // namespace

CrashWorld::CrashWorld(const TestCluster& cluster, std::string place)
    : LoginWorld(true, cluster, std::move(place)) {
  variables()["ASAN_OPTIONS"] = "detect_leaks=0";  // found by tracing, and strace traces already
  const Outcome traced =
      Program(folder(), {"--version"}, variables(), kill_at("fsync", 1)).wait();  // it has none
  if (traced.status != 0) {
    throw std::runtime_error(
        "the crash tests need strace and the right to trace a child (in a container: "
        "--cap-add=SYS_PTRACE): " +
        traced.err);
  }
  variables()["SLUICE_WINDOW_MESSAGES"] = "5";
  variables()["SLUICE_KEEP_CLOSED"] = "0";  // so that pruning has something to do
  answer_empty_polls_at_once();
}

bool CrashWorld::is_killed_at(const std::string& system_call, int time) {
  return is_killed(start(kill_at(system_call, time)));
}

bool CrashWorld::is_killed_at(SandboxGate& gate) {
  const Start started = start();
  while (!started.program->has_ended()) {
    if (gate.wait_for_call(std::chrono::milliseconds(2))) {
      started.program->kill();
      break;
    }
  }
  return is_killed(started);
}

void CrashWorld::kill_when(const std::string& condition) {
  const Start started = start();
  database().wait_until(condition);
  started.program->kill();
  EXPECT_TRUE(is_killed(started));
}

void CrashWorld::kill_once(const std::function<bool()>& is_held,
                           const std::vector<std::string>& before) {
  const Start started = start(before);
  // What is held waits for us; asking without a pause would take the processor from whom we wait
  // for.
  while (!started.program->has_ended() && !is_held()) std::this_thread::sleep_for(kPause);
  started.program->kill();
  EXPECT_TRUE(is_killed(started)) << "it came to its end, and was not held";
}

CrashWorld::Start CrashWorld::start(const std::vector<std::string>& before) {
  return {!windows_left().empty(), start_run({}, before)};
}

bool CrashWorld::is_killed(const Start& started) {
  const Outcome outcome = started.program->wait();
  if (outcome.status == 0) {
    expect_good_end(outcome);
    return false;
  }
  EXPECT_EQ(outcome.status, kKilled) << outcome.err;
  ++(started.in_recovery ? crashes_in_recovery_ : crashes_);
  std::set<WindowState> states;
  for (const Window& window : windows_left()) states.insert(window.state);
  for (const WindowState state : states) ++left_[state];
  return true;
}

void CrashWorld::copy_checkpoint(const std::string& from, const std::string& to) {
  for (const char* suffix : kFiles) {
    std::filesystem::remove(to + suffix);
    if (std::filesystem::exists(from + suffix)) {
      std::filesystem::copy_file(from + suffix, to + suffix);
    }
  }
}

void CrashWorld::forget_checkpoint() {
  for (const char* suffix : kFiles) std::filesystem::remove(checkpoint() + suffix);
}

void CrashWorld::recover_and_expect_everything_once() {
  constexpr int kMostRuns = 5;  // a call of a dead run may still take messages from the queue
  for (int i = 0; i < kMostRuns && (i == 0 || left_in_queue() > 0); ++i) {
    const std::int64_t to_carry = messages_to_carry();
    let_leases_lapse();
    const Outcome outcome = run();
    expect_good_end(outcome);
    EXPECT_EQ(outcome.count("carried_in"), to_carry);
  }
  EXPECT_TRUE(windows_left().empty());
  expect_everything_once();
}

void CrashWorld::expect_good_end(const Outcome& outcome) {
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.count("received") + outcome.count("carried_in"),
            outcome.count("loaded") + outcome.count("duplicate") + outcome.count("rejected") +
                outcome.count("returned") + outcome.count("carried_out"))
      << outcome.out;
}

std::vector<Window> CrashWorld::windows_left() const {
  const std::string copy = folder() + "/copy.db";
  copy_checkpoint(checkpoint(), copy);
  return glance_at(copy).windows;
}

std::int64_t CrashWorld::messages_to_carry() const {
  std::int64_t messages = 0;
  for (const Window& window : windows_left()) {
    if (window.state != WindowState::loaded) messages += window.messages;
  }
  return messages;
}

void CrashWorld::expect_crashes() const {
  std::cout << crashes_ << " runs killed, and " << crashes_in_recovery_
            << " that had found windows of an earlier crash; crashes that left a window open "
            << crashes_that_left(WindowState::open) << ", sealed "
            << crashes_that_left(WindowState::sealed) << ", loaded "
            << crashes_that_left(WindowState::loaded) << "\n";
  EXPECT_GT(crashes_, 0) << "nothing crashed: this test has shown nothing";
}

void CrashWorld::expect_crashes_in_recovery() const {
  expect_crashes();
  EXPECT_GT(crashes_in_recovery_, 0) << "no recovery crashed: this test has shown nothing";
}

int CrashWorld::crashes_that_left(WindowState state) const {
  const auto found = left_.find(state);
  return found == left_.end() ? 0 : found->second;
}

}  // namespace sluice
