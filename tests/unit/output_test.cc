// SPDX-License-Identifier: Apache-2.0
#include "job/base/output.h"

#include <array>
#include <csignal>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "job/base/log.h"

namespace sluice {
namespace {

/// A pipe that holds one page, full of x.
class FullPipe {
 public:
  FullPipe() {
    EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0);
    EXPECT_GT(::fcntl(ends_[1], F_SETPIPE_SZ, kPage), 0);
    EXPECT_TRUE(write_out(ends_[1], std::string(kPage, 'x'), 0));
  }
  ~FullPipe() {
    ::close(ends_[1]);
    close_reader();
  }
  FullPipe(const FullPipe&) = delete;
  FullPipe& operator=(const FullPipe&) = delete;

  int end() const { return ends_[1]; }
  /// What is in it now.
  std::string read() const {
    std::string text(2 * kPage, '\0');
    text.resize(static_cast<std::size_t>(::read(ends_[0], text.data(), text.size())));
    return text;
  }
  void close_reader() {
    if (ends_[0] >= 0) ::close(ends_[0]);
    ends_[0] = -1;
  }

 private:
  static constexpr int kPage = 4096;
  std::array<int, 2> ends_{};
};

TEST(Output, is_not_waited_for_longer_than_told) {
  const FullPipe pipe;
  EXPECT_FALSE(write_out(pipe.end(), "more", 0));
  EXPECT_FALSE(write_out(pipe.end(), "more", 20));
  EXPECT_EQ(pipe.read().find('m'), std::string::npos);
  EXPECT_TRUE(write_out(pipe.end(), "more", 0));
  EXPECT_EQ(pipe.read(), "more");
}

TEST(Output, to_nobody_is_not_said) {
  std::signal(SIGPIPE, SIG_IGN);
  FullPipe pipe;
  pipe.close_reader();
  EXPECT_FALSE(write_out(pipe.end(), "more", kForever));
}

TEST(OutputDeathTest, of_a_process_that_is_to_end_is_waited_for_no_longer) {
  const FullPipe pipe;
  const auto end = [&pipe] {
    lose_patience();
    std::_Exit(write_out(pipe.end(), "more", kForever) ? 1 : 0);
  };
  EXPECT_EXIT(end(), testing::ExitedWithCode(0), "");
}

TEST(Log, counts_the_lines_that_nobody_read_and_tells_it_when_somebody_does) {
  const FullPipe pipe;
  const int before = ::dup(STDERR_FILENO);
  ::dup2(pipe.end(), STDERR_FILENO);
  Log log;
  log.write(Level::info, "lost", "the first waits a second");
  log.write(Level::info, "lost", "the second not at all");
  pipe.read();
  log.write(Level::info, "read", "the third");
  const std::string said = pipe.read();
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  EXPECT_NE(said.find("2 lines were not written"), std::string::npos) << said;
  EXPECT_NE(said.find("the third"), std::string::npos) << said;
  EXPECT_EQ(said.find("the second"), std::string::npos) << said;
}

}  // namespace
}  // namespace sluice
