// SPDX-License-Identifier: Apache-2.0
// What `status` tells after a run that was killed, in each state of its window; and that it is what
// the next run then does.
#include <set>
#include <sstream>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/crash/hold.h"

namespace sluice {
namespace {

constexpr int kMessages = 25;

class StatusAfterKill : public testing::TestWithParam<Phase> {
 protected:
  StatusAfterKill() {
    world_.variables()["SLUICE_WINDOW_MESSAGES"] = "30";
    world_.variables()["SLUICE_RECEIVERS"] = "1";
  }
  CrashWorld world_;
};

constexpr std::array kPhases = {Phase::open, Phase::loading, Phase::committing,
                                Phase::between_deletes, Phase::deleted};
INSTANTIATE_TEST_SUITE_P(Killed, StatusAfterKill, testing::ValuesIn(kPhases),
                         [](const auto& each) { return std::string(name_of(each.param)); });

TEST_P(StatusAfterKill, it_shows_the_window_and_says_to_run_again) {
  world_.send_good(kMessages);
  kill_in(world_, GetParam());
  const auto status = world_.call({"status", "--json"}).summary();
  const bool loaded = state_in(GetParam()) == WindowState::loaded;
  const auto& windows = status.at("checkpoint").at("windows").as_array();
  ASSERT_EQ(windows.size(), 1U) << status;
  constexpr std::array kStates = {"", "open", "sealed", "loaded"};
  EXPECT_EQ(windows[0].at("state"), kStates.at(static_cast<std::size_t>(state_in(GetParam()))));
  EXPECT_EQ(windows[0].at("messages"), kMessages);
  EXPECT_EQ(status.at("checkpoint").at("undeleted"), loaded ? kMessages : 0);
  EXPECT_EQ(status.at("runs").at(0).at("state"), "not ended");
  if (GetParam() != Phase::committing) {  // of which Postgres may have made up its mind since
    EXPECT_EQ(status.at("runs").at(0).at("so_far").at("loaded"), loaded ? kMessages : 0);
  }
  EXPECT_TRUE(status.at("next").at(0).as_string().starts_with("run again: ")) << status;

  // What is not listed is deleted; of what is listed a run that was killed cannot say it.
  std::set<std::string> listed;
  std::istringstream lines(world_.call({"status", "--undeleted"}).out);
  for (std::string id, sent_at; loaded && lines >> id >> sent_at;) listed.insert(id);
  EXPECT_EQ(listed.size(), loaded ? std::size_t{kMessages} : 0U);
  world_.aws().sqs().with_queue("login-queue", [&](SandboxQueue& queue, Now) {
    for (std::size_t number = 0; loaded && number < kMessages; ++number) {
      if (queue.is_deleted(number)) continue;
      EXPECT_TRUE(listed.contains(queue.message(number).message.id));
    }
  });
  world_.recover_and_expect_everything_once();
  const auto after = world_.call({"status", "--json"}).summary();
  EXPECT_TRUE(after.at("checkpoint").at("windows").as_array().empty());
  EXPECT_EQ(after.at("checkpoint").at("undeleted"), 0);
}

}  // namespace
}  // namespace sluice
