// SPDX-License-Identifier: Apache-2.0
#include "job/archive/cursor.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace sluice {
namespace {

class CursorTest : public testing::Test {
 protected:
  CursorTest() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-cursor-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = name;
  }
  ~CursorTest() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ + "/state.db.cursor"; }
  std::string text() const {
    std::ifstream file(path());
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& text) const { std::ofstream(path()) << text; }

  std::string folder_;
};

constexpr ArchivePosition kPosition{3, 41};
constexpr std::int64_t kLater = 10'000;

TEST_F(CursorTest, goes_on_where_the_same_inputs_came_to) {
  EXPECT_EQ(Cursor(path(), "a.gz").start(), ArchivePosition{});
  Cursor(path(), "a.gz").move_to(kPosition, kLater);
  EXPECT_EQ(Cursor(path(), "a.gz").start(), kPosition);
  EXPECT_EQ(Cursor(path(), "a.gz").tag(), Cursor(path(), "a.gz").tag());
}

TEST_F(CursorTest, of_other_inputs_counts_for_nothing) {
  Cursor(path(), "a.gz").move_to(kPosition, kLater);
  EXPECT_EQ(Cursor(path(), "a.gz b.gz").start(), ArchivePosition{});
  EXPECT_NE(Cursor(path(), "a.gz").tag(), Cursor(path(), "a.gz b.gz").tag());
}

TEST_F(CursorTest, that_is_damaged_is_the_start) {
  Cursor(path(), "a.gz").move_to(kPosition, kLater);
  const std::string whole = text();
  for (std::size_t size = 0; size + 1 < whole.size(); ++size) {
    write(whole.substr(0, size));
    const ArchivePosition start = Cursor(path(), "a.gz").start();
    // The last digits cut off are a smaller number: more is read again, and nothing is left out.
    EXPECT_LE(start, kPosition) << size;
  }
  write(whole + "x");
  EXPECT_EQ(Cursor(path(), "a.gz").start(), ArchivePosition{});
}

TEST_F(CursorTest, is_written_once_a_second_and_at_the_end) {
  Cursor cursor(path(), "a.gz");
  cursor.move_to({0, 1}, kLater);
  cursor.move_to({0, 2}, kLater + 999);
  EXPECT_EQ(Cursor(path(), "a.gz").start(), (ArchivePosition{0, 1}));
  cursor.flush();
  EXPECT_EQ(Cursor(path(), "a.gz").start(), (ArchivePosition{0, 2}));
}

TEST_F(CursorTest, is_gone_once_everything_is_loaded) {
  Cursor cursor(path(), "a.gz");
  cursor.move_to(kPosition, kLater);
  cursor.remove();
  EXPECT_FALSE(std::filesystem::exists(path()));
  EXPECT_EQ(Cursor(path(), "a.gz").start(), ArchivePosition{});
}

TEST_F(CursorTest, of_what_cannot_be_read_twice_is_never_written_and_never_the_same) {
  Cursor cursor(path(), "");
  cursor.move_to(kPosition, kLater);
  cursor.flush();
  EXPECT_FALSE(std::filesystem::exists(path()));
  EXPECT_NE(cursor.tag(), Cursor(path(), "").tag());
}

TEST_F(CursorTest, that_cannot_be_written_stops_nothing) {
  Cursor cursor(folder_ + "/no/such/folder", "a.gz");
  cursor.move_to(kPosition, kLater);
  cursor.flush();
}

}  // namespace
}  // namespace sluice
