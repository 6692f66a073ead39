// SPDX-License-Identifier: Apache-2.0
// A LoginWorld whose program is killed from outside: at a sync of its checkpoint, at a call of the
// queue, in a transaction. It counts what it killed, so that no test passes without a crash.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/window.h"
#include "tests/support/login_world.h"

namespace sluice {

class CrashWorld : public LoginWorld {
 public:
  /// Small windows, several of them under way at once. Throws when no process may be traced here.
  explicit CrashWorld(const TestCluster& cluster = TestCluster::shared(),
                      std::string place = new_folder());

  /// A run that is killed as it enters this system call for the `time`th time, counted from 1.
  /// False when it came to its end first.
  bool is_killed_at(const std::string& system_call, int time);
  /// A run that is killed while `gate`, which a fault of the queue has, holds a call. False when it
  /// came to its end first.
  bool is_killed_at(SandboxGate& gate);
  /// A run that is killed once this is true of the database.
  void kill_when(const std::string& condition);
  /// A run that is killed once `is_held`, which is asked again and again, says so. Fails the test
  /// when it comes to its end first.
  void kill_once(const std::function<bool()>& is_held, const std::vector<std::string>& before = {});

  /// With the journal that belongs to it, or without when there is none.
  static void copy_checkpoint(const std::string& from, const std::string& to);
  void forget_checkpoint();
  /// Leases lapse and it runs again, until the queue is empty. Each of these runs carries in
  /// what was left to it; in the end everything is there once and no window is left.
  void recover_and_expect_everything_once();
  static void expect_good_end(const Outcome& outcome);

  /// The windows that a run would find now. Looks at a copy: opening the file recovers it.
  std::vector<Window> windows_left() const;
  /// Of those, the messages in windows that are not yet loaded.
  std::int64_t messages_to_carry() const;

  /// Prints what was killed, and fails unless something was ...
  void expect_crashes() const;
  /// ... and a run among it that had found windows of an earlier crash.
  void expect_crashes_in_recovery() const;
  /// How many crashes left a window in this state.
  int crashes_that_left(WindowState state) const;

 private:
  struct Start {
    bool in_recovery;
    std::unique_ptr<Program> program;
  };
  Start start(const std::vector<std::string>& before = {});
  bool is_killed(const Start& started);

  int crashes_ = 0;
  int crashes_in_recovery_ = 0;
  std::map<WindowState, int> left_;
};

}  // namespace sluice
