// SPDX-License-Identifier: Apache-2.0
// What a killed run left is damaged before the next one looks: in the file, or in the journal with
// which it would be repaired. The run says so in one line and goes on, and nothing is lost or
// twice.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>

#include <gtest/gtest.h>

#include "tests/crash/hold.h"
#include "tests/support/seeded_random.h"

namespace sluice {
namespace {

constexpr int kMessages = 25;
constexpr std::uint64_t kPage = 16'384;

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

void flip_a_bit(const std::string& path, SeededRandom& random) {
  std::string bytes = bytes_of(path);
  const std::uint64_t bit = random.below(bytes.size() * 8);
  std::cout << path.substr(path.rfind('/') + 1) << ": bit " << bit << "\n";
  bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
  write_bytes(path, bytes);
}

SeededRandom printed_seed() {
  const std::uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  return SeededRandom(seed);
}

/// Files that were set aside; they go.
int take_set_aside(const CrashWorld& world) {
  std::vector<std::filesystem::path> kept;
  for (const auto& entry : std::filesystem::directory_iterator(world.folder())) {
    if (entry.path().string().find(".set-aside-") != std::string::npos) kept.push_back(entry);
  }
  int files = 0;
  for (const auto& path : kept) {
    files += path.string().ends_with("-journal") ? 0 : 1;
    std::filesystem::remove(path);
  }
  return files;
}

int count_in(const std::string& text, const std::string& what) {
  int count = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; ++at) ++count;
  return count;
}

/// The next run ends well; that it set the file aside is told once, where people look.
/// How many files it set aside.
int expect_finished(CrashWorld& world) {
  take_set_aside(world);  // of earlier runs: of what was torn, some shows one run later
  world.let_leases_lapse();
  const Outcome outcome = world.run();
  world.expect_good_end(outcome);
  const int kept = take_set_aside(world);
  EXPECT_LE(kept, 1);
  EXPECT_EQ(count_in(outcome.err, "\"checkpoint-set-aside\""), kept) << outcome.err;
  const auto summary = outcome.summary();
  EXPECT_EQ(summary.at("checkpoint_set_aside").is_string(), kept == 1) << summary;
  EXPECT_TRUE(world.windows_left().empty());
  world.recover_and_expect_everything_once();
  return kept;
}

class DamagedCheckpoint : public testing::TestWithParam<Phase> {
 protected:
  DamagedCheckpoint() {
    world_.variables()["SLUICE_WINDOW_MESSAGES"] = "30";
    world_.variables()["SLUICE_RECEIVERS"] = "1";
  }

  void leave_a_window() {
    world_.send(kMessages);
    Hold hold(world_, GetParam());
    world_.kill_once([&] { return hold.is_reached(); });
    ASSERT_EQ(world_.windows_left().size(), 1U);
    ASSERT_EQ(world_.windows_left()[0].state, state_in(GetParam()));
  }
  std::string file() const { return world_.checkpoint(); }

  CrashWorld world_;
};

INSTANTIATE_TEST_SUITE_P(LeftIn, DamagedCheckpoint,
                         testing::Values(Phase::open, Phase::loading, Phase::between_deletes),
                         [](const auto& each) { return std::string(name_of(each.param)); });

TEST_P(DamagedCheckpoint, that_is_cut_off_is_set_aside_wherever_it_is_cut) {
  for (const std::uint64_t part : {0, 1, 50, 99}) {  // percent
    SCOPED_TRACE(part);
    leave_a_window();
    const std::string whole = bytes_of(file());
    write_bytes(file(), whole.substr(0, whole.size() * part / 100));
    EXPECT_EQ(expect_finished(world_), 1);
  }
}

TEST_P(DamagedCheckpoint, that_is_zeroed_as_a_whole_or_in_its_first_page_is_set_aside) {
  for (const bool as_a_whole : {true, false}) {
    leave_a_window();
    std::string bytes = bytes_of(file());
    const std::size_t size = as_a_whole ? bytes.size() : kPage;
    bytes.replace(0, size, size, '\0');
    write_bytes(file(), bytes);
    EXPECT_EQ(expect_finished(world_), 1);
  }
}

TEST_P(DamagedCheckpoint, in_which_a_bit_flipped_is_set_aside_or_the_bit_means_nothing) {
  constexpr int kFlips = 4;
  SeededRandom random = printed_seed();
  for (int i = 0; i < kFlips && !HasFailure(); ++i) {
    leave_a_window();
    flip_a_bit(file(), random);
    expect_finished(world_);
  }
}

TEST_P(DamagedCheckpoint, whose_journal_is_gone_or_flipped_is_used_when_nothing_was_to_be_undone) {
  SeededRandom random = printed_seed();
  for (const bool gone : {true, false}) {
    leave_a_window();
    const std::string journal = file() + "-journal";
    ASSERT_TRUE(std::filesystem::exists(journal));
    gone ? static_cast<void>(std::filesystem::remove(journal)) : flip_a_bit(journal, random);
    expect_finished(world_);
  }
}

TEST_P(DamagedCheckpoint, of_a_newer_format_or_another_pipeline_is_refused_and_keeps_its_window) {
  constexpr std::size_t kUserVersion = 63;  // its last byte
  leave_a_window();
  const std::string whole = bytes_of(file());
  std::string newer = whole;
  ++newer[kUserVersion];
  write_bytes(file(), newer);
  const std::size_t deliveries = world_.tally().deliveries;
  world_.let_leases_lapse();
  EXPECT_EQ(world_.run().status, 78);
  EXPECT_EQ(bytes_of(file()), newer);
  write_bytes(file(), whole);
  const std::string pipeline = bytes_of(world_.pipeline());
  std::string other = pipeline;
  other.replace(other.find("user_logins"), 4, "othr");
  write_bytes(world_.pipeline(), other);
  EXPECT_EQ(world_.run().status, 78);
  write_bytes(world_.pipeline(), pipeline);
  EXPECT_EQ(world_.tally().deliveries, deliveries);
  EXPECT_EQ(expect_finished(world_), 0);
}

TEST_P(DamagedCheckpoint, taken_by_a_run_on_another_queue_is_set_aside_and_nothing_is_missed) {
  leave_a_window();
  const std::string other = world_.aws().sqs().add_queue({.name = "another"});
  world_.expect_good_end(world_.run({"--queue-url", other}));
  EXPECT_EQ(take_set_aside(world_), 1);
  EXPECT_EQ(expect_finished(world_), 1);
}

TEST_P(DamagedCheckpoint, copied_to_a_second_worker_is_finished_by_both_at_once) {
  leave_a_window();
  const std::string copy = world_.folder() + "/two.db";
  CrashWorld::copy_checkpoint(file(), copy);
  const auto one = world_.start_run();
  const auto two = world_.start_run({"--worker", "two", "--checkpoint", copy});
  world_.expect_good_end(one->wait());
  world_.expect_good_end(two->wait());
  world_.recover_and_expect_everything_once();
}

/// Dealt out to several tests, which may run side by side.
class HotJournal : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Hand, HotJournal, testing::Range(1, 3));

TEST_P(HotJournal, that_is_flipped_cut_or_gone_before_it_could_undo_loses_and_doubles_nothing) {
  constexpr int kTries = 6;
  constexpr std::uint64_t kFirstStep = 6;  // before, the file itself is made
  constexpr std::uint64_t kSteps = 60;
  constexpr int kTwoWindows = 8;
  SeededRandom random = printed_seed();
  CrashWorld world;
  int hot = 0;
  for (int i = 0; i < kTries && !testing::Test::HasFailure(); ++i) {
    world.send(kTwoWindows);
    const int step = static_cast<int>(kFirstStep + random.below(kSteps));
    SCOPED_TRACE("step " + std::to_string(step));
    world.is_killed_at("fdatasync", step);
    const std::string journal = world.checkpoint() + "-journal";
    if (!is_hot(journal)) {
      world.recover_and_expect_everything_once();
      continue;
    }
    ++hot;
    const std::string bytes = bytes_of(journal);
    switch (random.below(3)) {
      case 0:
        std::filesystem::remove(journal);
        break;
      case 1:
        write_bytes(journal, bytes.substr(0, random.below(bytes.size())));
        break;
      default:
        flip_a_bit(journal, random);
    }
    expect_finished(world);
  }
  std::cout << hot << " journals were hot\n";
}

}  // namespace
}  // namespace sluice
