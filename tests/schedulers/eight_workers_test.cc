// SPDX-License-Identifier: Apache-2.0
// Eight workers on one queue that repeats itself, killed and stopped at random, each started again
// as the table of exit statuses says: every message is once where it belongs.
#include <algorithm>
#include <array>
#include <chrono>
#include <random>
#include <thread>

#include <signal.h>

#include "job/base/failure.h"
#include "tests/end_to_end/scene.h"
#include "tests/support/seeded_random.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kBlows = 100;  // kills and stops in all
constexpr int kMessagesABlow = 60;
constexpr std::uint64_t kLongestPauseMs = 200;  // between two blows
constexpr int kVisibilityS = 2;                 // so soon comes back what a killed worker had

/// What a scheduler does with a status. One that the table does not have, such as 137 after a
/// SIGKILL, is a failure that may not come again.
Retry retry_after(int status) {
  const auto known = std::ranges::find(exit_statuses(), status, &ExitStatus::status);
  return known == exit_statuses().end() ? Retry::worthwhile : known->retry;
}

/// One worker and the scheduler that looks after it.
class Worker {
 public:
  Worker(LoginWorld& world, std::string name) : world_(world), name_(std::move(name)) {}

  void strike(int signal) const {
    if (run_) run_->signal(signal);
  }
  bool is_running() const { return run_ != nullptr; }
  /// Starts it when it is due: after an end that is worth another try, or for `more` work.
  void look_after(bool more) {
    if (run_ && !run_->has_ended()) return;
    if (run_) judge(run_->wait());
    run_ = more || again_ ? start() : nullptr;
  }

 private:
  std::unique_ptr<Program> start() {
    return world_.start_run({"--worker", name_, "--checkpoint",
                             world_.folder() + "/" + name_ + ".db", "--window-messages", "100",
                             "--receivers", "2", "--visibility-timeout",
                             std::to_string(kVisibilityS) + "s", "--log-level", "info"});
  }
  void judge(const Outcome& outcome) {
    const Retry retry = retry_after(outcome.status);
    EXPECT_NE(retry, Retry::useless) << outcome.status << outcome.out << outcome.err;
    again_ = retry == Retry::worthwhile;
    // None when it was killed before, nor when it was stopped before it had begun.
    if (outcome.out.empty()) return;
    // A SIGKILL may come between the summary, which is whole all the same, and the exit.
    if (outcome.status != 128 + SIGKILL) {
      EXPECT_EQ(outcome.summary().at("exit_code"), outcome.status) << outcome.out;
    }
    expect_books_add_up(outcome.summary());
  }

  LoginWorld& world_;
  std::string name_;
  std::unique_ptr<Program> run_;
  bool again_ = false;
};

TEST(EightWorkers, killed_and_stopped_at_random_leave_every_message_once) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  LoginWorld world;
  world.use_queue({.name = "logins", .visibility_s = kVisibilityS});
  world.aws().faults().add({.on = "ReceiveMessage", .chance = 0.3, .fault = {.twice = true}});
  world.aws().faults().add({.on = "*", .chance = 0.5, .fault = {.delay = milliseconds(20)}});
  std::vector<Worker> workers;
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g", "h"})
    workers.emplace_back(world, name);

  int blows = 0;
  auto next_blow = steady_clock::now();
  const auto end = next_blow + std::chrono::seconds(120);
  const auto is_running = [](const Worker& worker) { return worker.is_running(); };
  do {
    ASSERT_LT(steady_clock::now(), end) << world.left_in_queue() << " left";
    if (blows < kBlows && steady_clock::now() >= next_blow) {
      workers[random.below(workers.size())].strike(random.chance(0.5) ? SIGKILL : SIGTERM);
      next_blow += milliseconds(random.below(kLongestPauseMs));
      world.send(kMessagesABlow);
      ++blows;
    }
    const bool more = blows < kBlows || world.left_in_queue() > 0;
    for (Worker& worker : workers) worker.look_after(more);
    std::this_thread::sleep_for(milliseconds(2));
  } while (blows < kBlows || std::ranges::any_of(workers, is_running));
  world.expect_everything_once();
}

}  // namespace
}  // namespace sluice
