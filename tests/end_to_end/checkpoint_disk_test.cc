// SPDX-License-Identifier: Apache-2.0
// The disk under the checkpoint: full in the middle of a run or between two, read-only, or not ours
// to write. What is in hand goes back to the queue, and a run with room finishes.
#include <sys/stat.h>
#include <unistd.h>

#include "tests/end_to_end/scene.h"
#include "tests/support/small_disk.h"

namespace sluice {
namespace {

constexpr int kMessages = 300;

class CheckpointDisk : public testing::Test {
 protected:
  CheckpointDisk() {
    world.variables()["SLUICE_WINDOW_MESSAGES"] = "40";
    world.variables()["SLUICE_WINDOW_BYTES"] = "1MiB";
    world.answer_empty_polls_at_once();
  }

  /// One line with a hint, nothing hidden but what is in the checkpoint, and the books add up.
  void expect_stopped(const Outcome& outcome, int status, const char* fault) {
    EXPECT_EQ(outcome.status, status) << outcome.out << outcome.err;
    const auto errors = errors_in(outcome.err);
    ASSERT_EQ(errors.size(), 1U) << outcome.err;
    EXPECT_FALSE(errors[0].at("hint").as_string().empty());
    EXPECT_NE(errors[0].at("message").as_string().find(world.variables()["SLUICE_CHECKPOINT"]),
              std::string::npos)
        << outcome.err;
    EXPECT_EQ(outcome.summary().at("error").at("fault"), fault);
    EXPECT_EQ(outcome.summary().at("stop_reason"), "error");
    expect_books_add_up(outcome.summary());
  }
  void expect_given_back(const Outcome& outcome) {
    EXPECT_GT(outcome.count("loaded"), 0);
    EXPECT_GT(outcome.count("returned"), 0);
    EXPECT_LE(static_cast<std::int64_t>(world.tally().in_flight), outcome.count("carried_out"));
  }
  void expect_everything_once_with(const std::vector<std::string>& before) {
    constexpr int kMostRuns = 5;  // a call of a dead run may still take messages from the queue
    for (int i = 0; i < kMostRuns && (i == 0 || world.left_in_queue() > 0); ++i) {
      world.let_leases_lapse();
      const Outcome outcome = world.start_run({}, before)->wait();
      EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
    }
    world.expect_everything_once();
  }

  LoginWorld world;
};

/// A limit of file sizes stands in for a full disk: the same write fails at the same place.
TEST_F(CheckpointDisk, a_file_that_may_not_grow_stops_the_run_and_gives_back_what_is_in_hand) {
  constexpr const char* kLimited = "trap '' XFSZ; ulimit -f 400; exec \"$@\"";  // of 512 bytes
  world.send(kMessages);
  const Outcome outcome = world.start_run({}, {"sh", "-c", kLimited, "sh"})->wait();
  expect_stopped(outcome, 75, "temporary");
  expect_given_back(outcome);
  expect_everything_once_with({});
}

class CheckpointOnSmallDisk : public CheckpointDisk {
 protected:
  void SetUp() override {
    // A container may forbid it; then a_file_that_may_not_grow is what is left of it.
    if (!SmallDisk::is_allowed()) GTEST_SKIP() << "no right to mount a file system";
    const std::string folder = world.folder() + "/disk";
    std::filesystem::create_directory(folder);
    constexpr int kMib = 20;  // a run wants 18
    disk.emplace(folder, kMib);
    world.variables()["SLUICE_CHECKPOINT"] = folder + "/checkpoint.db";
  }
  /// A run that is killed while its first window waits to be loaded.
  void leave_a_sealed_window() {
    world.send(kMessages);
    TestSession holder = world.database().session();
    holder.run("BEGIN; LOCK TABLE public.user_logins");
    const auto run = world.start_run({}, disk->before());
    world.database().wait_until(
        "EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND "
        "wait_event_type = 'Lock')");
    run->kill();
    EXPECT_EQ(run->wait().status, 137);
  }

  std::optional<SmallDisk> disk;
};

TEST_F(CheckpointOnSmallDisk, full_in_the_middle_of_a_run_stops_it_and_a_run_with_room_finishes) {
  world.send(kMessages);
  constexpr int kSomewhere = 12;
  const auto gate = gate_before(world, "ReceiveMessage", kSomewhere);
  const auto run = world.start_run({"--receivers", "1"}, disk->before());
  ASSERT_TRUE(gate->wait_for_call());
  disk->fill();
  gate->open();
  const Outcome outcome = run->wait();
  expect_stopped(outcome, 75, "temporary");
  expect_given_back(outcome);
  const Outcome full = world.start_run({}, disk->before())->wait();
  EXPECT_EQ(full.status, 75) << full.err;
  disk->make_room();
  expect_everything_once_with(disk->before());
}

TEST_F(CheckpointOnSmallDisk, full_between_two_runs_stops_the_second_before_it_receives) {
  leave_a_sealed_window();
  disk->fill();
  const Outcome outcome = world.start_run({}, disk->before())->wait();
  expect_stopped(outcome, 75, "temporary");
  EXPECT_EQ(outcome.count("received"), 0);
  disk->make_room();
  expect_everything_once_with(disk->before());
}

TEST_F(CheckpointOnSmallDisk, turned_read_only_between_two_runs_is_refused_by_the_second) {
  leave_a_sealed_window();
  disk->remount("ro");
  expect_stopped(world.start_run({}, disk->before())->wait(), 78, "configuration");
  disk->remount("rw");
  expect_everything_once_with(disk->before());
}

TEST_F(CheckpointDisk, a_file_that_this_user_may_only_read_is_refused) {
  EXPECT_EQ(world.run().status, 0);
  world.send(3);
  ::chmod(world.checkpoint().c_str(), 0444);
  // Root may write anything, so as root the program becomes somebody else.
  std::vector<std::string> as_somebody;
  if (::geteuid() == 0) {
    as_somebody = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
    ASSERT_EQ(::chown(world.folder().c_str(), 65534, 65534), 0);
    for (const auto& entry : std::filesystem::directory_iterator(world.folder())) {
      ASSERT_EQ(::chown(entry.path().c_str(), 65534, 65534), 0);
    }
  }
  expect_stopped(world.start_run({}, as_somebody)->wait(), 78, "configuration");
  EXPECT_EQ(world.tally().deliveries, 0U);
  ::chmod(world.checkpoint().c_str(), 0600);
  expect_everything_once_with({});
}

}  // namespace
}  // namespace sluice
