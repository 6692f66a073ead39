// SPDX-License-Identifier: Apache-2.0
// The checkpoint is taken away under a run that works with it, or wanted by many at the same
// moment.
#include <functional>

#include "tests/end_to_end/scene.h"

namespace sluice {
namespace {

constexpr int kMessages = 60;

class CheckpointTaken : public testing::Test {
 protected:
  CheckpointTaken() {
    world.answer_empty_polls_at_once();
    world.variables()["SLUICE_WINDOW_MESSAGES"] = "20";
    std::filesystem::create_directory(folder());
    world.variables()["SLUICE_CHECKPOINT"] = file();
  }
  std::string folder() const { return world.folder() + "/state"; }
  std::string file() const { return folder() + "/checkpoint.db"; }

  /// A run that has staged its first window and cannot load it while `holder_` has the table.
  std::unique_ptr<Program> start_held_run() {
    holder_ = std::make_unique<TestSession>(world.database().session());
    holder_->run("BEGIN; LOCK TABLE public.user_logins");
    auto run = world.start_run();
    wait_until_load_is_held(world);
    return run;
  }
  void let_load() { holder_->run("ROLLBACK"); }
  void expect_ended_well(const Outcome& outcome) {
    EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
    expect_books_add_up(outcome.summary());
  }

  LoginWorld world;

 private:
  std::unique_ptr<TestSession> holder_;
};

TEST_F(CheckpointTaken, away_under_a_run_is_no_loss_to_it_or_to_the_next) {
  const std::string elsewhere = world.folder() + "/elsewhere";
  const std::vector<std::function<void()>> ways = {
      [&] { std::filesystem::remove(file()); },
      [&] {
        std::filesystem::remove(file());
        std::filesystem::remove(file() + "-journal");
      },
      [&] { std::filesystem::rename(file(), file() + ".renamed"); },
      [&] { std::filesystem::rename(folder(), elsewhere); },
      [&] { std::filesystem::remove_all(folder()); },
  };
  for (std::size_t way = 0; way < ways.size(); ++way) {
    SCOPED_TRACE("way " + std::to_string(way));
    world.send(kMessages);
    const auto run = start_held_run();
    ways[way]();
    let_load();
    expect_ended_well(run->wait());
    std::filesystem::remove_all(elsewhere);
    std::filesystem::create_directory(folder());
    world.send(1);
    expect_ended_well(world.run());
    world.expect_everything_once();
  }
}

TEST_F(CheckpointTaken, away_under_a_run_that_is_killed_then_is_a_checkpoint_that_is_lost) {
  world.send(kMessages);
  const auto run = start_held_run();
  std::filesystem::remove_all(folder());
  std::filesystem::create_directory(folder());
  run->kill();
  EXPECT_EQ(run->wait().status, 137);
  let_load();
  world.run_until_empty();
  world.expect_everything_once();
}

TEST_F(CheckpointTaken, away_and_made_anew_by_a_second_run_beside_the_first) {
  world.send(kMessages);
  const auto first = start_held_run();
  std::filesystem::rename(file(), file() + ".renamed");
  const auto second = world.start_run();
  world.send(kMessages);
  let_load();
  expect_ended_well(first->wait());
  expect_ended_well(second->wait());
  world.run_until_empty();
  world.expect_everything_once();
}

TEST_F(CheckpointTaken, by_one_of_many_that_start_together_is_in_use_for_the_others) {
  for (const bool damaged : {false, true}) {
    SCOPED_TRACE(damaged);
    if (damaged) write_text(file(), "no checkpoint");
    world.send(kMessages);
    std::vector<std::unique_ptr<Program>> runs;
    for (int i = 0; i < 6; ++i) runs.push_back(world.start_run());
    int drained = 0;
    for (const auto& run : runs) {
      const Outcome outcome = run->wait();
      expect_books_add_up(outcome.summary());
      if (outcome.status == 0) {
        ++drained;
        continue;
      }
      EXPECT_EQ(outcome.status, 75) << outcome.out << outcome.err;
      EXPECT_EQ(outcome.summary().at("error").at("fault"), "locked") << outcome.err;
    }
    EXPECT_GE(drained, 1);
    world.run_until_empty();
    world.expect_everything_once();
  }
}

}  // namespace
}  // namespace sluice
