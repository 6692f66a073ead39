// SPDX-License-Identifier: Apache-2.0
// The heart, the checkpoint and the masker against a queue, a database, a disk and clocks that
// fail: README.md beside this file.
#include <set>

#include <gtest/gtest.h>

#include "tests/simulation/history.h"

namespace sluice::simulation {
namespace {

constexpr int kHistories = 2'500;  // a share; there are eight

void expect_kept(const Plan& plan) {
  const Ending ending = play(plan);
  if (ending.broken.empty()) return;
  const Plan small = shrink(plan);
  FAIL() << report(plan, ending) << "\nthe smallest that breaks it too:\n"
         << report(small, play(small)) << "\nagain: soak " << small.text();
}

class Simulation : public testing::TestWithParam<int> {};

TEST_P(Simulation, every_promise_is_kept_in_every_history) {
  for (int i = 0; i < kHistories && !HasFatalFailure(); ++i) {
    Plan plan;
    plan.seed = static_cast<std::uint64_t>(GetParam()) * kHistories + i;
    expect_kept(plan);
  }
}

INSTANTIATE_TEST_SUITE_P(Share, Simulation, testing::Range(0, 8));

TEST(SimulationItself, a_seed_gives_the_same_history_every_time) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Plan plan;
    plan.seed = seed;
    EXPECT_EQ(play(plan).trace, play(plan).trace) << plan.text();
  }
}

TEST(SimulationItself, every_kind_of_fault_strikes) {
  std::set<Fault> struck;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    Plan plan;
    plan.seed = seed;
    for (const Fault fault : play(plan).faults) struck.insert(fault);
  }
  EXPECT_EQ(struck.size(), kFaults);
}

TEST(SimulationItself, a_plan_is_what_its_text_says) {
  Plan plan;
  plan.seed = 18'446'744'073'709'551'615U;
  plan.messages = 3;
  plan.workers = 2;
  plan.most_faults = 0;
  plan.without = {Fault::kill, Fault::jump_clock};
  plan.spared = {2, 17};
  EXPECT_EQ(Plan::parse(plan.text()).text(), plan.text());
}

}  // namespace
}  // namespace sluice::simulation
