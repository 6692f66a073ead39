// SPDX-License-Identifier: Apache-2.0
#include "job/archive/archive_file.h"

#include <random>
#include <set>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job/base/failure.h"
#include "tests/support/empty_pipe.h"
#include "tests/support/packing.h"
#include "tests/support/seeded_random.h"
#include "tests/unit/archive_folder.h"

namespace sluice {
namespace {

using Archive = ArchiveFolder;

/// All of it, in pieces of at most `piece` bytes. With `fault` it goes on until one is told.
std::string content(const std::string& path, std::size_t piece = 1 << 16,
                    std::string* fault = nullptr) {
  ArchiveFile file(path);
  std::string content;
  std::string room(piece, '\0');
  try {
    while (const std::size_t got = file.read(room.data(), room.size())) {
      content.append(room, 0, got);
    }
    EXPECT_EQ(file.read(room.data(), room.size()), 0U) << "the end stays the end";
    EXPECT_EQ(file.bytes_read(), file.size().value_or(file.bytes_read()));
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.fault(), Fault::configuration);
    EXPECT_NE(failure.message().find(path), std::string::npos) << failure.message();
    EXPECT_FALSE(failure.hint().empty());
    if (fault == nullptr) throw;
    *fault = failure.message().substr(("input " + path + ": ").size());
  }
  return content;
}

std::string fault_of(const std::string& path) {
  std::string fault;
  content(path, 1 << 16, &fault);
  return fault;
}

/// A million bytes in which little repeats.
std::string long_text() {
  SeededRandom random(1);
  std::string text;
  while (text.size() < 1'000'000) text += std::to_string(random.next()) + "\n";
  return text;
}

TEST_F(Archive, is_plain_gzip_or_zstd_by_what_it_begins_with_not_by_its_name) {
  for (const std::string& text : {std::string("{}\n"), std::string("x"), long_text()}) {
    EXPECT_EQ(content(write("a.gz", text)), text);
    EXPECT_EQ(content(write("a.txt", gzip(text))), text);
    EXPECT_EQ(content(write("a.json", zstd(text))), text);
  }
  EXPECT_EQ(content(write("a", "")), "");
  EXPECT_EQ(content(write("a", gzip(""))), "");
  EXPECT_EQ(content(write("a", zstd(""))), "");
}

TEST_F(Archive, may_be_several_members_or_frames) {
  const std::string skippable("\x5a\x2a\x4d\x18\x04\x00\x00\x00skip", 12);
  EXPECT_EQ(content(write("a", gzip("one\n") + gzip("") + gzip("two\n"))), "one\ntwo\n");
  EXPECT_EQ(content(write("a", zstd("one\n") + zstd("") + skippable + zstd("two\n"))),
            "one\ntwo\n");
  EXPECT_EQ(content(write("a", skippable + zstd("one\n") + skippable)), "one\n");
  EXPECT_EQ(content(write("a", skippable)), "");
}

TEST_F(Archive, is_the_same_in_pieces_of_any_size) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  const std::string text = long_text();
  for (int round = 0; round < 10; ++round) {
    const std::size_t cut = random.below(text.size());
    const std::string one = text.substr(0, cut);
    const std::string other = text.substr(cut);
    const std::size_t piece = 1 + random.below(random.chance(0.5) ? 100 : 1 << 20);
    EXPECT_EQ(content(write("a", gzip(one, 1) + gzip(other, 9)), piece), text);
    EXPECT_EQ(content(write("a", zstd(one, 1) + zstd(other, 9)), piece), text);
    EXPECT_EQ(content(write("a", text), piece), text);
  }
}

TEST_F(Archive, can_be_a_pipe_that_gives_a_byte_at_a_time) {
  for (const std::string& bytes :
       {std::string("{}\n{}\n"), gzip("{}\n{}\n"), zstd("{}\n") + zstd("{}\n")}) {
    const std::string path = this->path("pipe");
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    std::jthread writer([&] {
      const int pipe = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
      for (const char byte : bytes) {
        EXPECT_EQ(::write(pipe, &byte, 1), 1);
        int left = 1;  // until it is taken
        while (left > 0 && ::ioctl(pipe, FIONREAD, &left) == 0) std::this_thread::yield();
      }
      ::close(pipe);
    });
    ArchiveFile file(path);
    EXPECT_FALSE(file.size());
    EXPECT_EQ(file.identity(), "");
    std::string content;
    char byte = 0;
    while (file.read(&byte, 1) == 1) content += byte;
    EXPECT_EQ(content, "{}\n{}\n");
    EXPECT_EQ(file.bytes_read(), bytes.size());
    ::unlink(path.c_str());
  }
}

TEST_F(Archive, can_be_a_pipe_that_is_empty_now_and_then) {
  for (const std::string& bytes :
       {std::string("{}\n{}\n"), gzip("{}\n{}\n"), zstd("{}\n") + zstd("{}\n")}) {
    EmptyPipe pipe(path("pipe"), bytes, 1);
    ArchiveFile file(pipe.path(), OnEmptyPipe::throw_nothing_yet);
    char byte = 0;
    EXPECT_THROW(file.read(&byte, 1), NothingYet) << "nobody has opened the other end yet";
    std::string content;
    while (pipe.go_on([&] { return file.read(&byte, 1); }) == 1) content += byte;
    EXPECT_EQ(content, "{}\n{}\n");
    EXPECT_EQ(file.bytes_read(), bytes.size());
  }
}

TEST_F(Archive, tells_how_much_of_it_was_taken) {
  ArchiveFile file(write("a", "0123456789"));
  EXPECT_EQ(file.bytes_read(), 0U);
  char byte = 0;
  file.read(&byte, 1);
  EXPECT_EQ(file.bytes_read(), 1U);
  EXPECT_EQ(file.size(), 10U);
}

TEST_F(Archive, that_is_cut_short_anywhere_gives_what_is_left_of_it_and_says_so) {
  const std::string text = "one line of it\nand another\n";
  for (const std::string& packed : {gzip(text), zstd(text)}) {
    for (std::size_t size = 6; size < packed.size(); ++size) {
      std::string fault;
      const std::string left = content(write("a", packed.substr(0, size)), 1 << 16, &fault);
      EXPECT_EQ(left, text.substr(0, left.size()));
      EXPECT_EQ(fault, "ends in the middle of what is packed") << size;
    }
  }
}

TEST_F(Archive, that_is_damaged_gives_what_came_before_and_says_so) {
  const std::string text = long_text();
  for (const bool is_gzip : {true, false}) {
    const std::string whole = is_gzip ? gzip(text) : zstd(text);
    std::string packed = whole;
    packed[packed.size() / 2] ^= 1;
    const std::string said = is_gzip ? "its gzip is damaged" : "its zstd is damaged";
    std::string fault;
    const std::string left = content(write("a", packed), 1 << 16, &fault);
    EXPECT_GT(left.size(), 100'000U);
    EXPECT_EQ(fault, said);
    EXPECT_EQ(fault_of(write("a", whole + "garbage")), said);
    EXPECT_EQ(fault_of(write("a", whole + std::string(512, '\0'))), said);
    EXPECT_NE(fault_of(write("a", whole + "\n")), "");
  }
}

TEST_F(Archive, that_takes_too_much_memory_to_unpack_is_refused) {
  // A frame's header: no checksum, no size, a window of 2^28 bytes; then a block of one byte.
  const std::string frame("\x28\xb5\x2f\xfd\x00\x90\x09\x00\x00x", 10);
  EXPECT_EQ(fault_of(write("a", frame)), "its zstd needs more than 128 MiB to be unpacked");
  std::string smaller = frame;
  smaller[5] = '\x88';  // 2^27
  EXPECT_EQ(content(write("a", smaller)), "x");
}

TEST_F(Archive, of_another_format_is_refused_by_name) {
  EXPECT_EQ(fault_of(write("a.json", "BZh91AY&SY")), "is bzip2, which is not read");
  EXPECT_EQ(fault_of(write("a", std::string("\xfd"
                                            "7zXZ\0\0\4",
                                            8))),
            "is xz, which is not read");
  EXPECT_EQ(fault_of(write("a", "PK\3\4....")), "is zip, which is not read");
  EXPECT_EQ(fault_of(write("a", "PAR1....")), "is Parquet, which is not read");
  EXPECT_EQ(fault_of(write("a", std::string("\xff\xfe{\0}\0", 6))), "is UTF-16, which is not read");
}

TEST_F(Archive, that_cannot_be_opened_is_told_in_one_line) {
  const auto told = [](const std::string& path) {
    try {
      ArchiveFile file(path);
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.fault(), Fault::configuration);
      return failure.message() + "; " + failure.hint();
    }
    return std::string("opened");
  };
  EXPECT_EQ(told(path("none")), "input " + path("none") +
                                    ": cannot read it: No such file or directory; check the path");
  EXPECT_EQ(told(path("")), "input " + path("") + ": is a folder; name the files in it");
  if (::geteuid() != 0) {  // who may read everything
    ::chmod(write("closed", "{}").c_str(), 0);
    EXPECT_EQ(told(path("closed")), "input " + path("closed") +
                                        ": cannot read it: Permission denied; check the path and "
                                        "its rights");
  }
}

TEST_F(Archive, is_told_from_others_and_from_itself_after_a_change) {
  const std::string one = ArchiveFile(write("a", "1")).identity();
  EXPECT_EQ(ArchiveFile(path("a")).identity(), one);
  EXPECT_EQ(ArchiveFile(path("a")).size(), 1U);
  EXPECT_NE(ArchiveFile(write("b", "1")).identity(), one);
  EXPECT_NE(ArchiveFile(write("a", "12")).identity(), one);
  const std::string before = ArchiveFile(path("b")).identity();
  std::set<std::string> seen = {before};
  for (const long ns : {1, 2}) {
    const timespec times[2] = {{1, 0}, {1, ns}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path("b").c_str(), times, 0), 0);
    EXPECT_TRUE(seen.insert(ArchiveFile(path("b")).identity()).second);
  }
}

}  // namespace
}  // namespace sluice
