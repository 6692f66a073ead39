// SPDX-License-Identifier: Apache-2.0
// What a run finds at start: nothing, damage, somebody else's file, somebody else's lock, no room.
#include <csignal>
#include <iostream>

#include <sys/resource.h>
#include <sys/stat.h>

#include "checkpoint/glance.h"
#include "checkpoint/put_aside.h"
#include "checkpoint/sqlite.h"
#include "tests/unit/checkpoint_world.h"

namespace sluice {
namespace {

using Kind = CheckpointError::Kind;

class CheckpointOpening : public CheckpointWorld {
 protected:
  /// Opens, expecting that the file is set aside for this reason and that a fresh one is in its
  /// place.
  void expect_set_aside(const std::string& reason) const {
    const std::string before = content();
    Checkpoint checkpoint = open(77);
    EXPECT_NE(checkpoint.set_aside().find("one.db " + reason), std::string::npos)
        << checkpoint.set_aside();
    EXPECT_NE(checkpoint.set_aside().find("is kept as one.db.set-aside-77"), std::string::npos);
    EXPECT_TRUE(checkpoint.unfinished().empty());
    const std::int64_t number = checkpoint.open_window(kWall);
    checkpoint.stage(number, batch_of(1), {}, {});
    EXPECT_EQ(std::filesystem::file_size(path_ + ".set-aside-77"), before.size());
    const std::string journal = path_ + ".set-aside-77-journal";
    std::filesystem::remove(journal);
    std::filesystem::remove(path_ + ".set-aside-77");
  }

  /// Flips a bit of the last place where `text` lies in the file.
  void flip_in(const std::string& text) const {
    std::string bytes = content();
    const std::size_t place = bytes.rfind(text);
    ASSERT_NE(place, std::string::npos) << text;
    bytes[place] = static_cast<char>(bytes[place] ^ 1);
    write(bytes);
  }

  /// A big-endian number in the file's header, https://www.sqlite.org/fileformat2.html section 1.3.
  void write_header(std::size_t offset, std::uint32_t value) const {
    std::string bytes = content();
    for (std::size_t i = 0; i < 4; ++i) {
      bytes[offset + i] = static_cast<char>(value >> (24 - 8 * i) & 0xff);
    }
    write(bytes);
  }
};

constexpr std::size_t kUserVersion = 60;
constexpr std::size_t kApplicationId = 68;

TEST_F(CheckpointOpening, file_and_journal_are_for_their_owner_only) {
  const mode_t before = umask(0);
  leave_window(WindowState::sealed);
  umask(before);
  ASSERT_EQ(names(), (std::vector<std::string>{"one.db", "one.db-journal"}));
  for (const std::string& name : names()) {
    struct stat status;
    ASSERT_EQ(stat((folder_ / name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u) << name;
  }
}

TEST_F(CheckpointOpening, what_is_no_checkpoint_is_set_aside) {
  for (const auto& [bytes, reason] : std::vector<std::pair<std::string, std::string>>{
           {"", "it is empty"},
           {"this is no database", "file is not"},
           {std::string(8192, '\0'), "file is not"},
           {std::string(50'000, 'g'), "file is not"}}) {
    write(bytes);
    expect_set_aside("was damaged (" + reason);
  }
  leave_window(WindowState::sealed);
  write_header(kApplicationId, 0);
  expect_set_aside("was damaged (it is no checkpoint");
}

TEST_F(CheckpointOpening, a_truncated_file_is_set_aside_wherever_it_is_cut) {
  leave_window(WindowState::sealed, 2000);
  const std::string whole = content();
  ASSERT_GT(whole.size(), 5u * 16384);
  for (std::size_t size = 1000; size < whole.size(); size += 15'000) {
    write(whole.substr(0, size));
    expect_set_aside("was damaged (");
  }
}

TEST_F(CheckpointOpening, a_zeroed_page_is_set_aside_whichever_it_is) {
  leave_window(WindowState::sealed, 2000);
  const std::string whole = content();
  for (std::size_t page = 0; page < whole.size(); page += 16384) {
    std::string bytes = whole;
    bytes.replace(page, 16384, 16384, '\0');
    write(bytes);
    expect_set_aside("was damaged (");
  }
}

TEST_F(CheckpointOpening, a_chain_of_pages_that_breaks_in_a_closed_window_is_found) {
  leave_window(WindowState::closed, 2000);
  std::string bytes = content();
  const std::size_t page = bytes.find("a masked tuple", bytes.size() / 4) / 16384 * 16384;
  bytes.replace(page, 16384, 16384, '\0');
  write(bytes);
  expect_set_aside("was damaged (SQLite finds it malformed");
}

TEST_F(CheckpointOpening, a_flipped_bit_in_what_was_staged_is_found) {
  for (const WindowState state : {WindowState::open, WindowState::sealed, WindowState::loaded}) {
    for (const char* text : {"a masked tuple", "receipt-1"}) {
      leave_window(state);
      flip_in(text);
      expect_set_aside("was damaged (a digest does not match");
      std::filesystem::remove(path_);
    }
  }
}

TEST_F(CheckpointOpening, a_flipped_bit_in_the_record_of_a_window_is_found) {
  leave_window(WindowState::sealed);
  std::string id(reinterpret_cast<const char*>(kId.data()), kId.size());
  flip_in(id);
  expect_set_aside("was damaged (the record of window 1 does not match");
}

TEST_F(CheckpointOpening, no_bit_that_flips_turns_sealed_into_loaded) {
  leave_window(WindowState::sealed);
  const std::string whole = content();
  const std::string id(reinterpret_cast<const char*>(kId.data()), kId.size());
  const std::size_t record_end = whole.rfind(id);
  ASSERT_NE(record_end, std::string::npos);
  for (std::size_t place = record_end - 48; place < record_end; ++place) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bytes = whole;
      bytes[place] = static_cast<char>(bytes[place] ^ (1 << bit));
      write(bytes);
      const Checkpoint checkpoint = open(5);
      if (checkpoint.set_aside().empty()) {
        ASSERT_EQ(checkpoint.unfinished().size(), 1u);
        EXPECT_EQ(checkpoint.unfinished()[0].state, WindowState::sealed);
      }
    }
  }
}

TEST_F(CheckpointOpening, batches_that_changed_places_are_found) {
  {
    Checkpoint checkpoint = open();
    const std::int64_t number = checkpoint.open_window(kWall);
    checkpoint.stage(number, batch_of(1, kWall, "first one"), {}, {});
    checkpoint.stage(number, batch_of(1, kWall, "other one"), {}, {});
    checkpoint.seal(number, kId);
  }
  std::string bytes = content();
  const std::string first = batch_of(1, kWall, "first one").bytes();
  const std::string other = batch_of(1, kWall, "other one").bytes();
  ASSERT_EQ(first.size(), other.size());
  // A record is digest then contents: both change places.
  const std::size_t first_at = bytes.rfind(first) - 32;
  const std::size_t other_at = bytes.rfind(other) - 32;
  const std::size_t size = first.size() + 32;
  std::swap_ranges(bytes.begin() + static_cast<std::ptrdiff_t>(first_at),
                   bytes.begin() + static_cast<std::ptrdiff_t>(first_at + size),
                   bytes.begin() + static_cast<std::ptrdiff_t>(other_at));
  write(bytes);
  expect_set_aside("was damaged (the digest does not match the batches");
}

TEST_F(CheckpointOpening, what_belongs_to_no_window_is_found_before_another_one_inherits_it) {
  for (const std::string table : {"batch", "receipts"}) {
    leave_window(WindowState::loaded);
    sqlite::Connection(path_, 0).execute(
        ("INSERT INTO " + table + " VALUES (2 << 20, zeroblob(32), x'00')").c_str());
    expect_set_aside("was damaged (it holds something of window 2, which is not there)");
    std::filesystem::remove(path_);
  }
}

TEST_F(CheckpointOpening, damage_after_opening_is_told_by_read) {
  leave_window(WindowState::closed);
  flip_in("a masked tuple");
  const Checkpoint checkpoint = open();
  EXPECT_EQ(checkpoint.set_aside(), "") << "closed windows are not verified at every start";
  EXPECT_EQ(kind_of_error([&] { checkpoint.read(1); }), Kind::damaged);
}

TEST_F(CheckpointOpening, a_file_of_another_pipeline_is_refused_and_left_alone) {
  leave_window(WindowState::sealed);
  const std::string before = content();
  std::string what;
  EXPECT_EQ(kind_of_error(
                [&] {
                  Checkpoint(path_, {"other", "q", "d"}, kWall);
                },
                &what),
            Kind::other_pipeline);
  EXPECT_NE(what.find("belongs to pipeline 'user_logins'"), std::string::npos) << what;
  EXPECT_EQ(content(), before);
  EXPECT_EQ(open().unfinished().size(), 1u);
}

TEST_F(CheckpointOpening, a_file_of_another_queue_or_database_is_set_aside) {
  { Checkpoint other(path_, {kIdentity.pipeline, "another", kIdentity.database}, kWall); }
  expect_set_aside("belongs to another queue");
  std::filesystem::remove(path_);
  { Checkpoint other(path_, {kIdentity.pipeline, kIdentity.queue, "another"}, kWall); }
  expect_set_aside("belongs to another database");
}

TEST_F(CheckpointOpening, a_flipped_bit_in_the_name_of_its_pipeline_is_not_another_pipeline) {
  leave_window(WindowState::sealed);
  flip_in(kIdentity.pipeline);
  expect_set_aside("was damaged (it does not say whose it is)");
}

TEST_F(CheckpointOpening, a_flipped_bit_in_the_name_of_a_column_is_found) {
  for (const char* name : {"row_digest BLOB", "contents BLOB", "packed BLOB"}) {
    std::filesystem::remove(path_);
    leave_window(WindowState::sealed);
    flip_in(name);
    expect_set_aside("was damaged (its tables are not those of a checkpoint)");
  }
}

TEST_F(CheckpointOpening, a_newer_format_is_refused_and_left_alone) {
  leave_window(WindowState::sealed);
  write_header(kUserVersion, 4);
  std::string what;
  EXPECT_EQ(kind_of_error([&] { open(); }, &what), Kind::newer);
  EXPECT_NE(what.find("format 4"), std::string::npos) << what;
  write_header(kUserVersion, 3);
  EXPECT_EQ(open().unfinished().size(), 1u);
}

TEST_F(CheckpointOpening, an_older_format_is_set_aside_and_the_version_is_told) {
  leave_window(WindowState::sealed);
  write_header(kUserVersion, 1);
  expect_set_aside("was written by an older version (format 1, this one writes 3) and is kept as");
}

TEST_F(CheckpointOpening, an_older_format_of_another_pipeline_is_refused) {
  { Checkpoint other(path_, {"other", kIdentity.queue, kIdentity.database}, kWall); }
  write_header(kUserVersion, 1);
  EXPECT_EQ(kind_of_error([&] { open(); }), Kind::other_pipeline);
}

TEST_F(CheckpointOpening, two_files_set_aside_at_the_same_moment_are_both_kept) {
  for (int i = 0; i < 2; ++i) {
    write("damage");
    open(5);
  }
  EXPECT_TRUE(std::filesystem::exists(path_ + ".set-aside-5"));
  EXPECT_TRUE(std::filesystem::exists(path_ + ".set-aside-6"));
}

TEST_F(CheckpointOpening, a_link_is_followed_and_what_it_leads_to_is_set_aside) {
  const std::string link = folder_ / "link.db";
  write("damage");
  std::filesystem::create_symlink(path_, link);
  const Checkpoint checkpoint(link, kIdentity, 5);
  EXPECT_TRUE(std::filesystem::exists(path_ + ".set-aside-5"));
  EXPECT_TRUE(std::filesystem::is_symlink(link));
}

TEST_F(CheckpointOpening, where_no_file_can_be_is_unwritable) {
  EXPECT_EQ(kind_of_error([&] { Checkpoint(folder_, kIdentity, kWall); }), Kind::unwritable);
  EXPECT_EQ(kind_of_error([&] { Checkpoint(folder_ / "no" / "x.db", kIdentity, kWall); }),
            Kind::unwritable);
  EXPECT_EQ(kind_of_error([&] { Checkpoint("/dev/null", kIdentity, kWall); }), Kind::unwritable);
  open();
  EXPECT_EQ(kind_of_error([&] { Checkpoint(path_ + "/x.db", kIdentity, kWall); }),
            Kind::unwritable);
  EXPECT_EQ(names(), (std::vector<std::string>{"one.db", "one.db-journal"}));
}

TEST_F(CheckpointOpening, a_second_process_is_told_who_holds_the_file) {
  Checkpoint checkpoint = open();
  const std::string holder = "process " + std::to_string(getpid());
  const auto second_is_told = [&] {
    return status_of_child([&] {
      std::string what;
      if (kind_of_error([&] { open(); }, &what) != Kind::locked) return 1;
      if (what.find("held by " + holder) == std::string::npos) return 2;
      const CheckpointGlance glance = glance_at(path_);
      return glance.exists && glance.locked && glance.holder.starts_with(holder + ", which began ")
                 ? 0
                 : 3;
    });
  };
  EXPECT_EQ(second_is_told(), 0);
  const std::int64_t number = checkpoint.open_window(kWall);
  EXPECT_EQ(second_is_told(), 0) << "also after a transaction";
  EXPECT_THROW(checkpoint.stage(number, {}, {}, {{9, "r"}}), std::logic_error);
  EXPECT_EQ(second_is_told(), 0) << "also after one that was rolled back";
  checkpoint.stage(number, batch_of(1), {}, {});
}

TEST_F(CheckpointOpening, a_file_that_another_process_has_by_now_is_not_put_aside) {
  // Two processes found the same damage; the other one was faster, and the path leads to its fresh
  // file.
  write("damage");
  const FileId judged = file_id(path_);
  const Checkpoint theirs = open(5);
  const auto before = names();
  EXPECT_EQ(status_of_child([&] {
              const Kind other_file = kind_of_error([&] { put_aside(path_, judged, 6); });
              const Kind locked = kind_of_error([&] { put_aside(path_, file_id(path_), 6); });
              return other_file == Kind::locked && locked == Kind::locked ? 0 : 1;
            }),
            0);
  EXPECT_EQ(names(), before);
}

TEST_F(CheckpointOpening, a_file_that_came_after_the_damaged_one_is_not_put_aside) {
  write("damage");
  const FileId judged = file_id(path_);
  { open(5); }
  const auto before = names();
  EXPECT_EQ(kind_of_error([&] { put_aside(path_, judged, 6); }), Kind::locked);
  EXPECT_EQ(names(), before);
}

TEST_F(CheckpointOpening, of_many_that_find_damage_at_once_each_has_the_file_or_is_locked) {
  constexpr int kProcesses = 4;
  const auto take_turns = [this] {
    for (int i = 0; i < 40; ++i) {
      try {
        const Checkpoint checkpoint = open(i);
        write("damage");  // while it is ours
      } catch (const CheckpointError& error) {
        if (error.kind() == Kind::locked) continue;
        std::cerr << error.what() << '\n';
        return 1;
      }
    }
    return 0;
  };
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    children.push_back(fork());
    if (children.back() == 0) _exit(take_turns());
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_GT(names().size(), 10U) << "too little was set aside for this to have shown anything";
}

TEST_F(CheckpointOpening, the_journal_is_put_aside_with_its_file) {
  leave_window(WindowState::sealed);
  const std::string journal = content_of(path_ + "-journal");
  write("damage");
  put_aside(path_, file_id(path_), 5);
  EXPECT_EQ(names(),
            (std::vector<std::string>{"one.db.set-aside-5", "one.db.set-aside-5-journal"}));
  EXPECT_EQ(content_of(path_ + ".set-aside-5-journal"), journal);
}

TEST_F(CheckpointOpening, the_lock_of_a_dead_process_is_free) {
  EXPECT_EQ(status_of_child([&] {
              Checkpoint* never_closed = new Checkpoint(path_, kIdentity, kWall);
              never_closed->stage(never_closed->open_window(kWall), batch_of(2), {}, {});
              return 0;
            }),
            0);
  EXPECT_FALSE(glance_at(path_).locked);
  EXPECT_EQ(open().unfinished().at(0).messages, 2u);
}

TEST_F(CheckpointOpening, a_glance_shows_what_is_unfinished_and_changes_nothing) {
  EXPECT_FALSE(glance_at(path_).exists);
  leave_window(WindowState::loaded);
  const std::string before = content();
  const CheckpointGlance glance = glance_at(path_);
  EXPECT_TRUE(glance.exists);
  EXPECT_FALSE(glance.locked);
  ASSERT_EQ(glance.windows.size(), 1u);
  EXPECT_EQ(glance.windows[0].state, WindowState::loaded);
  EXPECT_EQ(content(), before);
  write("damage");
  EXPECT_TRUE(glance_at(path_).exists);
  EXPECT_TRUE(glance_at(path_).windows.empty());
  EXPECT_EQ(content(), "damage");
}

TEST_F(CheckpointOpening, disk_space_is_told_and_a_missing_folder_is_unwritable) {
  EXPECT_GT(disk_space(folder_).free_bytes, 0u);
  EXPECT_FALSE(disk_space(folder_).network);
  EXPECT_EQ(kind_of_error([&] { disk_space(folder_ / "no"); }), Kind::unwritable);
}

/// A file size limit stands in for a full disk: the same call fails at the same place.
void limit_file_size(rlim_t bytes) {
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit = {bytes, RLIM_INFINITY};
  setrlimit(RLIMIT_FSIZE, &limit);
}

TEST_F(CheckpointOpening, no_room_for_a_new_file_is_a_full_disk_and_leaves_nothing) {
  for (const rlim_t room : {0, 100, 16384, 40'000}) {
    EXPECT_EQ(status_of_child([&] {
                limit_file_size(room);
                return kind_of_error([&] { open(); }) == Kind::disk_full ? 0 : 1;
              }),
              0)
        << room;
    EXPECT_TRUE(names().empty()) << room;
  }
}

TEST_F(CheckpointOpening, a_full_disk_while_staging_loses_only_that_call) {
  EXPECT_EQ(status_of_child([&] {
              Checkpoint checkpoint = open();
              const std::int64_t number = checkpoint.open_window(kWall);
              checkpoint.stage(number, batch_of(1), {}, {});
              limit_file_size(std::filesystem::file_size(path_) + 20'000);
              const StagedBatch big = batch_of(100, kWall, std::string(1000, 'x'));
              if (kind_of_error([&] { checkpoint.stage(number, big, {}, {}); }) != Kind::disk_full)
                return 1;
              if (checkpoint.unfinished().at(0).messages != 1) return 2;
              limit_file_size(RLIM_INFINITY);
              checkpoint.stage(number, big, {}, {});
              return checkpoint.unfinished().at(0).messages == 101 ? 0 : 3;
            }),
            0);
  Checkpoint checkpoint = open();
  EXPECT_EQ(checkpoint.set_aside(), "");
  checkpoint.seal(1, kId);
  EXPECT_EQ(checkpoint.read(1).messages.size(), 101u);
}

TEST_F(CheckpointOpening, a_disk_that_is_full_at_start_is_told_at_start) {
  leave_window(WindowState::sealed);
  std::filesystem::remove(path_ + "-journal");
  EXPECT_EQ(status_of_child([&] {
              limit_file_size(10);
              return kind_of_error([&] { open(); }) == Kind::disk_full ? 0 : 1;
            }),
            0);
  EXPECT_EQ(open().unfinished().size(), 1u);
}

}  // namespace
}  // namespace sluice
