// SPDX-License-Identifier: Apache-2.0
// A process that dies between two steps, and at each write inside one.
#include <csignal>

#include <sys/resource.h>

#include "tests/unit/checkpoint_world.h"

namespace sluice {
namespace {

struct Step {
  const char* name;
  std::function<void(Checkpoint&)> take;
  WindowState after;
  std::uint32_t messages;
  std::size_t receipts;
};

const StagedBatch& big_batch() {
  static const StagedBatch batch = batch_of(100, kWall, std::string(1000, 'x'));
  return batch;
}

using Steps = std::vector<Step>;

/// From (none) to closed, the last `stage` before the seal or `in_one_move` with it.
Steps steps(bool in_one_move) {
  Steps all = {{"first stage",
                [](Checkpoint& c) {
                  c.open_window(kWall);
                  c.stage(1, batch_of(2), receipts_of(0, 2, "r"), {});
                },
                WindowState::open, 2, 2}};
  const Steps apart = {
      {"stage", [](Checkpoint& c) { c.stage(1, big_batch(), receipts_of(2, 100, "r"), {}); },
       WindowState::open, 102, 102},
      {"seal", [](Checkpoint& c) { c.seal(1, kId); }, WindowState::sealed, 102, 102}};
  const Steps together = {
      {"stage_and_seal",
       [](Checkpoint& c) { c.stage_and_seal(1, big_batch(), receipts_of(2, 100, "r"), {}, kId); },
       WindowState::sealed, 102, 102}};
  const Steps rest = {
      {"reseal", [](Checkpoint& c) { c.reseal(1, WindowId{7}); }, WindowState::sealed, 102, 102},
      {"mark_loaded",
       [](Checkpoint& c) {
         c.mark_loaded(1, {0, 50, 101});
       },
       WindowState::loaded, 102, 99},
      {"keep_receipts", [](Checkpoint& c) { c.keep_receipts(1, receipts_of(0, 30, "left-")); },
       WindowState::loaded, 102, 30},
      {"close", [](Checkpoint& c) { c.close(1, kWall); }, WindowState::closed, 102, 0}};
  for (const Steps& more : {in_one_move ? together : apart, rest}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

class CheckpointCrash : public CheckpointWorld {
 protected:
  void end_after_any(const Steps& steps) const;
  void kill_inside_any(const Steps& steps) const;
};

void expect_after(Checkpoint& checkpoint, const Steps& steps, std::size_t steps_taken) {
  EXPECT_EQ(checkpoint.set_aside(), "");
  if (steps_taken == 0) {
    EXPECT_TRUE(checkpoint.unfinished().empty());
    return;
  }
  const Step& last = steps[steps_taken - 1];
  const auto windows =
      last.after == WindowState::closed ? checkpoint.closed() : checkpoint.unfinished();
  ASSERT_EQ(windows.size(), 1u);
  EXPECT_EQ(windows[0].state, last.after);
  EXPECT_EQ(windows[0].messages, last.messages);
  EXPECT_EQ(checkpoint.receipts(1).size(), last.receipts);
  if (last.after != WindowState::open) {
    EXPECT_EQ(checkpoint.read(1).messages.size(), last.messages);
  }
}

void CheckpointCrash::end_after_any(const Steps& steps) const {
  for (std::size_t taken = 0; taken <= steps.size(); ++taken) {
    SCOPED_TRACE(taken == 0 ? "no step" : steps[taken - 1].name);
    std::filesystem::remove(path_);
    ASSERT_EQ(status_of_child([&] {
                Checkpoint checkpoint = open();
                for (std::size_t i = 0; i < taken; ++i) steps[i].take(checkpoint);
                _exit(0);
                return 0;
              }),
              0);
    Checkpoint checkpoint = open();
    expect_after(checkpoint, steps, taken);
  }
}

/// The kernel kills the child at its first write beyond `bytes` of any file: in the journal, or in
/// the file itself when the journal is already complete.
void die_beyond(rlim_t bytes) {
  std::signal(SIGXFSZ, SIG_DFL);
  const rlimit limits = {bytes, RLIM_INFINITY};
  setrlimit(RLIMIT_FSIZE, &limits);
}

void CheckpointCrash::kill_inside_any(const Steps& steps) const {
  int half_written = 0;
  for (std::size_t taken = 0; taken < steps.size(); ++taken) {
    SCOPED_TRACE(steps[taken].name);
    int killed = 0;
    bool survived = false;
    for (rlim_t bytes = 0; !survived; bytes += bytes < 60'000 ? 5'000 : 60'000) {
      std::filesystem::remove(path_);
      std::filesystem::remove(path_ + "-journal");
      {
        Checkpoint checkpoint = open();
        for (std::size_t i = 0; i < taken; ++i) steps[i].take(checkpoint);
      }
      const int status = status_of_child([&] {
        Checkpoint checkpoint = open();
        std::filesystem::copy_file(path_, path_ + ".before",
                                   std::filesystem::copy_options::overwrite_existing);
        die_beyond(bytes);
        steps[taken].take(checkpoint);
        return 0;
      });
      survived = WIFEXITED(status);
      if (!survived) {
        ASSERT_EQ(WTERMSIG(status), SIGXFSZ);
        ++killed;
        half_written += content_of(path_) != content_of(path_ + ".before") ? 1 : 0;
      }
      ASSERT_EQ(status == 0, survived);  // a child that lives has done the step
      Checkpoint checkpoint = open();
      expect_after(checkpoint, steps, taken + (survived ? 1 : 0));
      ASSERT_LT(bytes, 10'000'000u) << "never finished";
    }
    EXPECT_GT(killed, 0) << "nothing crashed";
  }
  EXPECT_GT(half_written, 10) << "too few children died while the file itself was half written";
}

TEST_F(CheckpointCrash, a_process_that_ends_after_any_step_leaves_that_step_done) {
  end_after_any(steps(false));
  end_after_any(steps(true));
}

TEST_F(CheckpointCrash, a_process_killed_inside_a_step_leaves_the_step_before) {
  kill_inside_any(steps(false));
  kill_inside_any(steps(true));
}

}  // namespace
}  // namespace sluice
