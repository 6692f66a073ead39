// SPDX-License-Identifier: Apache-2.0
// What the tests of the checkpoint stand on: a folder, a file in it, batches, and child processes
// that may die.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "checkpoint/checkpoint.h"
#include "tests/support/staged_for_test.h"

namespace sluice {

inline constexpr std::int64_t kWall = 1'700'000'000'000;
inline const CheckpointIdentity kIdentity{"user_logins", "https://sqs/login-queue", "db-1"};
inline constexpr WindowId kId{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

/// `count` messages of one row each, sent at `sent_ms` and every millisecond after it. The row's
/// text is `tuple`.
inline StagedBatch batch_of(int count, std::int64_t sent_ms = kWall,
                            std::string_view tuple = "a masked tuple") {
  StagedBatch batch;
  for (int i = 0; i < count; ++i) {
    StagedMessage message;
    message.key = {sent_ms + i, {static_cast<std::uint8_t>(i)}};
    message.rows.push_back({0, tuple});
    StagedBatchForTest::add(batch, message);
  }
  return batch;
}

inline std::vector<Receipt> receipts_of(std::uint32_t first, int count, const std::string& prefix) {
  std::vector<Receipt> receipts;
  for (std::uint32_t i = first; i < first + static_cast<std::uint32_t>(count); ++i) {
    receipts.push_back({i, prefix + std::to_string(i)});
  }
  return receipts;
}

inline std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class CheckpointWorld : public ::testing::Test {
 protected:
  CheckpointWorld() {
    // In memory where there is such a folder: a process that dies loses nothing there that it would
    // not lose on a disk, and the syncs cost nothing.
    const std::filesystem::path memory = "/dev/shm";
    std::string name =
        (std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path()) /
        "sluice-checkpoint-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = name;
    path_ = folder_ / "one.db";
  }
  ~CheckpointWorld() override { std::filesystem::remove_all(folder_); }

  Checkpoint open(std::int64_t wall_ms = kWall) const {
    return Checkpoint(path_, kIdentity, wall_ms);
  }

  /// A file with one window of `count` messages, left in `state`; its number is 1.
  void leave_window(WindowState state, int count = 3) const {
    Checkpoint checkpoint = open();
    const std::int64_t number = checkpoint.open_window(kWall);
    checkpoint.stage(number, batch_of(count), receipts_of(0, count, "receipt-"), {});
    if (state == WindowState::open) return;
    checkpoint.seal(number, kId);
    if (state == WindowState::sealed) return;
    checkpoint.mark_loaded(number);
    if (state == WindowState::loaded) return;
    checkpoint.close(number, kWall);
  }

  std::string content() const { return content_of(path_); }
  void write(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  std::filesystem::path folder_;
  std::string path_;
};

/// The status of a child that does `work` and exits with what it returns; 99 when it throws. No
/// destructor of the test runs in it: it ends as if it were killed.
inline int status_of_child(const std::function<int()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    int status = 99;
    try {
      status = work();
    } catch (const std::exception&) {
    }
    _exit(status);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

/// The kind of CheckpointError that `work` throws; `what` is its text.
template <typename Work>
CheckpointError::Kind kind_of_error(Work work, std::string* what = nullptr) {
  try {
    work();
  } catch (const CheckpointError& error) {
    if (what != nullptr) *what = error.what();
    return error.kind();
  }
  throw std::runtime_error("no CheckpointError was thrown");
}

}  // namespace sluice
