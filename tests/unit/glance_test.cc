// SPDX-License-Identifier: Apache-2.0
// What `status` sees of a checkpoint, and that looking changes nothing, whatever is found there.
#include "checkpoint/glance.h"

#include <chrono>
#include <csignal>
#include <iostream>
#include <map>
#include <thread>

#include <sys/resource.h>

#include "tests/unit/checkpoint_world.h"

namespace sluice {
namespace {

class Glance : public CheckpointWorld {
 protected:
  /// What it sees, without a change in the folder.
  CheckpointGlance look() const {
    const auto before = files();
    CheckpointGlance glance = glance_at(path_);
    EXPECT_EQ(files(), before) << "looking changed something";
    return glance;
  }

  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> all;
    for (const std::string& name : names()) all[name] = content_of(folder_ / name);
    return all;
  }

  /// A run that dies when its transaction has begun to write into the file.
  void die_while_staging() const {
    ASSERT_EQ(status_of_child([&] {
                auto* checkpoint = new Checkpoint(path_, kIdentity, kWall);
                // More than the cache of SQLite holds: it is spilled before the commit, which here
                // never comes, because the disk has no room for all of it.
                const rlimit room{24U << 20, RLIM_INFINITY};
                setrlimit(RLIMIT_FSIZE, &room);
                std::signal(SIGXFSZ, [](int) { _exit(0); });
                const StagedBatch much = batch_of(100, kWall, std::string(400'000, 'x'));
                checkpoint->stage(checkpoint->open_window(kWall), much, {}, {});
                return 1;
              }),
              0);
  }
};

TEST_F(Glance, sees_in_each_state_what_is_unfinished_and_what_is_still_to_be_deleted) {
  for (const WindowState state :
       {WindowState::open, WindowState::sealed, WindowState::loaded, WindowState::closed}) {
    std::filesystem::remove(path_);
    leave_window(state, 5);
    const CheckpointGlance glance = look();
    EXPECT_TRUE(glance.readable()) << glance.trouble;
    EXPECT_EQ(glance.owner.queue, kIdentity.queue);
    EXPECT_EQ(glance.windows.size(), state == WindowState::closed ? 0U : 1U);
    EXPECT_EQ(glance.undeleted.size(), state == WindowState::loaded ? 5U : 0U);
    EXPECT_EQ(glance.closed, state == WindowState::closed ? 1U : 0U);
    EXPECT_EQ(glance.closed_messages, state == WindowState::closed ? 5U : 0U);
  }
}

TEST_F(Glance, names_the_messages_whose_receipts_are_left_and_no_others) {
  leave_window(WindowState::sealed, 30);
  {
    Checkpoint checkpoint = open();
    checkpoint.mark_loaded(1, {0, 7});
    std::vector<Receipt> left = checkpoint.receipts(1);
    std::erase_if(left, [](const Receipt& receipt) { return receipt.position % 2 == 0; });
    checkpoint.keep_receipts(1, left);
  }
  const std::vector<MessageKey> keys = look().undeleted;
  ASSERT_EQ(keys.size(), 14U);
  std::size_t i = 0;
  for (int position = 1; position < 30; position += 2) {
    if (position == 7) continue;
    EXPECT_EQ(keys[i].sent_ms, kWall + position);
    EXPECT_EQ(keys[i++].id[0], position);
  }
}

TEST_F(Glance, of_pieces_and_of_windows_the_keys_go_on) {
  {
    Checkpoint checkpoint = open();
    for (int window = 1; window <= 2; ++window) {
      const std::int64_t number = checkpoint.open_window(kWall);
      // Several pieces of 256 KiB.
      checkpoint.stage(number, batch_of(200, kWall * window, std::string(5'000, 'x')),
                       receipts_of(0, 200, "r"), {});
      checkpoint.seal(number, WindowId{static_cast<std::uint8_t>(window)});
      checkpoint.mark_loaded(number);
    }
  }
  const std::vector<MessageKey> keys = look().undeleted;
  ASSERT_EQ(keys.size(), 400U);
  EXPECT_EQ(keys[199].sent_ms, kWall + 199);
  EXPECT_EQ(keys[399].sent_ms, 2 * kWall + 199);
}

TEST_F(Glance, what_a_killed_run_left_half_written_is_seen_in_a_copy_and_stays) {
  leave_window(WindowState::loaded, 5);
  die_while_staging();
  const std::string journal = content_of(path_ + "-journal");
  ASSERT_NE(journal.at(0), 0) << "the journal is not hot";
  const CheckpointGlance glance = look();
  EXPECT_TRUE(glance.readable()) << glance.trouble;
  EXPECT_EQ(glance.undeleted.size(), 5U);
  EXPECT_EQ(glance.windows.size(), 1U);
}

TEST_F(Glance, nothing_is_read_while_a_run_holds_it) {
  leave_window(WindowState::loaded);
  const Checkpoint run = open();
  EXPECT_EQ(status_of_child([&] {
              const CheckpointGlance glance = look();
              return glance.locked && !glance.readable() && glance.windows.empty() &&
                             glance.undeleted.empty() && glance.holder.starts_with("process ")
                         ? 0
                         : 1;
            }),
            0);
}

TEST_F(Glance, beside_runs_that_come_and_go_it_sees_all_of_a_moment_or_nothing) {
  constexpr int kRuns = 60;
  constexpr int kMessages = 100;
  // Longer than the clock of a file's times stands still; a run takes longer anyway.
  constexpr auto kTick = std::chrono::milliseconds(10);
  leave_window(WindowState::closed, kMessages);
  const pid_t runs = fork();
  if (runs == 0) {
    for (int i = 0; i < kRuns; ++i) {
      Checkpoint checkpoint = open();
      const std::int64_t number = checkpoint.open_window(kWall);
      checkpoint.stage(number, batch_of(kMessages, kWall, std::string(3'000, 'x')),
                       receipts_of(0, kMessages, "receipt-"), {});
      checkpoint.seal(number, WindowId{static_cast<std::uint8_t>(i + 20)});
      checkpoint.mark_loaded(number);
      if (i % 2 == 0) checkpoint.close(number, kWall);
      std::this_thread::sleep_for(kTick);
    }
    _exit(0);
  }
  int seen = 0;
  while (waitpid(runs, nullptr, WNOHANG) == 0) {
    const CheckpointGlance glance = glance_at(path_);
    EXPECT_EQ(glance.trouble, "");
    EXPECT_EQ(glance.undeleted.size(), glance.windows.size() * kMessages);
    seen += glance.readable() ? 1 : 0;
  }
  std::cout << seen << " times between two runs\n";
  EXPECT_EQ(glance_at(path_).windows.size(), std::size_t{kRuns / 2});
}

TEST_F(Glance, of_a_file_that_no_run_can_use_it_says_why_and_what_comes_of_it) {
  const auto trouble = [&](const std::string& bytes, bool heals, const std::string& why) {
    write(bytes);
    const CheckpointGlance glance = look();
    EXPECT_TRUE(glance.exists);
    EXPECT_FALSE(glance.readable());
    EXPECT_EQ(glance.heals, heals) << why;
    EXPECT_NE(glance.trouble.find(why), std::string::npos) << glance.trouble;
  };
  leave_window(WindowState::loaded, 20);
  const std::string good = content();
  trouble("", true, "it is empty");
  trouble("no checkpoint at all", true, "damaged");
  std::string bad = good;
  bad[bad.rfind("a masked tuple")] ^= 1;
  trouble(bad, true, "a digest does not match the contents of window 1");
  bad = good;
  bad[bad.rfind("receipt-3")] ^= 1;
  trouble(bad, true, "a digest does not match the receipts of window 1");
  bad = good;
  bad[63] = 99;  // user_version, https://www.sqlite.org/fileformat2.html
  trouble(bad, false, "written by a newer version");
  bad[63] = 1;
  trouble(bad, true, "was written by an older version");
}

TEST_F(Glance, where_there_is_none_there_is_nothing_and_a_folder_is_none) {
  EXPECT_FALSE(look().exists);
  EXPECT_NE(glance_at(folder_).trouble.find("is no regular file"), std::string::npos);
  EXPECT_FALSE(glance_at(path_ + "/x").exists);
}

}  // namespace
}  // namespace sluice
