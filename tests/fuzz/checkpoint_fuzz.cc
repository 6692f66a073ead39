// SPDX-License-Identifier: Apache-2.0
// Any bytes where the checkpoint should lie, and in its journal, which stands behind kJournal:
// opened, set aside or refused, and what was opened works.
#include <algorithm>
#include <fstream>
#include <iterator>

#include "checkpoint/glance.h"
#include "tests/fuzz/properties.h"
#include "tests/fuzz/targets.h"
#include "tests/fuzz/temporary_folder.h"
#include "tests/support/staged_for_test.h"

namespace sluice::fuzz {
namespace {

constexpr std::string_view kJournal = "\nJOURNAL\n";
constexpr std::int64_t kWall = 1'700'000'000'000;
const CheckpointIdentity kIdentity{"user_logins", "https://sqs/login-queue", "db-1"};

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void check_left(const Checkpoint& checkpoint) {
  for (const Window& window : checkpoint.unfinished()) {
    checkpoint.receipts(window.number);
    if (window.state == WindowState::open) continue;
    must_hold(checkpoint.read(window.number).messages.size() == window.messages,
              "a window that was verified can be read");
  }
}

/// The whole way of a window.
void check_works(Checkpoint& checkpoint) {
  StagedBatch batch;
  StagedMessage message;
  message.rows.push_back({0, "a masked tuple"});
  StagedBatchForTest::add(batch, message);
  const std::int64_t number = checkpoint.open_window(kWall);
  checkpoint.stage(number, batch, {{0, "handle"}}, {});
  const WindowId id{1};
  checkpoint.seal(number, id);
  must_hold(checkpoint.read(number).messages.at(0).rows.at(0).tuple == "a masked tuple",
            "what was staged is read");
  checkpoint.mark_loaded(number);
  must_hold(checkpoint.receipts(number).at(0).handle == "handle", "with its receipt");
  checkpoint.close(number, kWall);
  checkpoint.prune(kWall + 1, 0);
}

void open(const std::string& path, std::string_view content) {
  Checkpoint checkpoint(path, kIdentity, kWall);
  if (!checkpoint.set_aside().empty()) {
    must_hold(content_of(path + ".set-aside-" + std::to_string(kWall)).size() == content.size(),
              "what is set aside is kept");
    must_hold(checkpoint.unfinished().empty(), "and a fresh one has no windows");
  }
  check_left(checkpoint);
  check_works(checkpoint);
}

}  // namespace

void checkpoint(std::string_view input) {
  static const TemporaryFolder folder;
  folder.clear();
  const std::size_t cut = std::min(input.find(kJournal), input.size());
  const std::string path = folder.write("c.db", input.substr(0, cut));
  const std::string_view journal =
      cut < input.size() ? input.substr(cut + kJournal.size()) : std::string_view();
  if (cut < input.size()) folder.write("c.db-journal", journal);
  glance_at(path);
  must_hold(content_of(path) == input.substr(0, cut) && content_of(path + "-journal") == journal,
            "looking changes nothing");
  try {
    open(path, input.substr(0, cut));
  } catch (const CheckpointError& error) {
    must_hold(error.kind() == CheckpointError::Kind::newer ||
                  error.kind() == CheckpointError::Kind::other_pipeline,
              error.what());
    return;
  }
  must_hold(Checkpoint(path, kIdentity, kWall + 1).set_aside().empty(), "and opens again");
}

}  // namespace sluice::fuzz
