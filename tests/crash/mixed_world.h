// SPDX-License-Identifier: Apache-2.0
// A CrashWorld whose runs are killed while they stand still with several windows in a mix. Calls of
// the queue wait at gates, statements of a load at locks: the mix is reached because nothing else
// can be, and the checkpoint of the dead run says that it was.
#pragma once

#include <string>
#include <vector>

#include "tests/crash/crash_world.h"
#include "tests/crash/mix.h"

namespace sluice {

class MixedWorld : public CrashWorld {
 public:
  /// Rejections are forwarded to a queue of their own.
  MixedWorld();

  /// Sends the messages of which a run makes this mix, and kills it there. What was sent before
  /// must be gone from the queue. Throws when it is never there.
  void send_and_kill_in(const Mix& mix);
  /// What the run of that mix left is gone on with by another, which is killed in turn.
  void kill_in_recovery_of(const Mix& mix);

  /// The ids of the windows, in the order of their commits.
  std::vector<std::string> commits();
  std::size_t dead_letters();

 private:
  struct Held {
    Mix mix;
    std::size_t load;            // the one that is held in it, numbered from 1 in its run
    bool load_fails = false;     // the first
    bool forward_fails = false;  // likewise
  };
  class Hold;
  void kill_in(const Held& held);

  std::size_t messages_ = 0;  // of the mix
};

}  // namespace sluice
