// SPDX-License-Identifier: Apache-2.0
// The four states, what a window holds in each, and who moves it.
#include "checkpoint/checkpoint.h"

#include <algorithm>
#include <stdexcept>

#include "checkpoint/glance.h"
#include "tests/unit/checkpoint_world.h"

namespace sluice {
namespace {

using Move = std::function<void(Checkpoint&)>;

class CheckpointStates : public CheckpointWorld {};

std::vector<std::string> handles(const std::vector<Receipt>& receipts) {
  std::vector<std::string> handles;
  for (const Receipt& receipt : receipts) {
    handles.push_back(std::to_string(receipt.position) + "=" + receipt.handle);
  }
  return handles;
}

using Handles = std::vector<std::string>;
using Receipts = std::vector<Receipt>;

TEST_F(CheckpointStates, a_window_goes_through_its_four_states) {
  Checkpoint checkpoint = open();
  EXPECT_EQ(checkpoint.set_aside(), "");
  EXPECT_TRUE(checkpoint.unfinished().empty());

  const std::int64_t number = checkpoint.open_window(kWall);
  const StagedBatch first = batch_of(3, kWall - 10);
  const StagedBatch second = batch_of(2, kWall - 99);
  checkpoint.stage(number, first, receipts_of(0, 3, "r"), {});
  checkpoint.stage(number, second, receipts_of(3, 2, "r"), {});
  ASSERT_EQ(checkpoint.unfinished().size(), 1u);
  const Window staged = checkpoint.unfinished()[0];
  EXPECT_EQ(staged.number, number);
  EXPECT_EQ(staged.state, WindowState::open);
  EXPECT_EQ(staged.messages, 5u);
  EXPECT_EQ(staged.bytes, first.bytes().size() + second.bytes().size());
  EXPECT_EQ(staged.oldest_sent_ms, kWall - 99);
  EXPECT_EQ(staged.opened_ms, kWall);

  const Window sealed = checkpoint.seal(number, kId);
  EXPECT_EQ(sealed.state, WindowState::sealed);
  EXPECT_EQ(sealed.id, kId);
  EXPECT_NE(sealed.digest, Digest{});
  EXPECT_EQ(checkpoint.unfinished()[0].digest, sealed.digest);

  checkpoint.mark_loaded(number);
  EXPECT_EQ(checkpoint.unfinished()[0].state, WindowState::loaded);
  EXPECT_TRUE(checkpoint.closed().empty());

  checkpoint.close(number, kWall + 5);
  EXPECT_TRUE(checkpoint.unfinished().empty());
  ASSERT_EQ(checkpoint.closed().size(), 1u);
  EXPECT_EQ(checkpoint.closed()[0].closed_ms, kWall + 5);
  EXPECT_TRUE(checkpoint.receipts(number).empty());
  EXPECT_EQ(checkpoint.read(number).messages.size(), 5u) << "contents stay until pruned";
}

TEST_F(CheckpointStates, every_state_survives_the_end_of_the_process) {
  for (const WindowState state : {WindowState::open, WindowState::sealed, WindowState::loaded}) {
    std::filesystem::remove(path_);
    leave_window(state);
    const Checkpoint checkpoint = open();
    EXPECT_EQ(checkpoint.set_aside(), "");
    ASSERT_EQ(checkpoint.unfinished().size(), 1u);
    const Window window = checkpoint.unfinished()[0];
    EXPECT_EQ(window.state, state);
    EXPECT_EQ(window.messages, 3u);
    EXPECT_EQ(window.id, state == WindowState::open ? WindowId{} : kId);
    EXPECT_EQ(handles(checkpoint.receipts(1)),
              (Handles{"0=receipt-0", "1=receipt-1", "2=receipt-2"}));
  }
}

TEST_F(CheckpointStates, a_step_from_the_wrong_state_is_refused_and_changes_nothing) {
  struct Step {
    const char* name;
    WindowState from;
    Move move;
  };
  const std::vector<Step> steps = {
      {"stage", WindowState::open,
       [](Checkpoint& c) { c.stage(1, batch_of(1), receipts_of(3, 1, "new-"), {}); }},
      {"seal", WindowState::open, [](Checkpoint& c) { c.seal(1, kId); }},
      {"stage_and_seal", WindowState::open,
       [](Checkpoint& c) { c.stage_and_seal(1, batch_of(1), receipts_of(3, 1, "new-"), {}, kId); }},
      {"reseal", WindowState::sealed, [](Checkpoint& c) { c.reseal(1, kId); }},
      {"mark_loaded", WindowState::sealed, [](Checkpoint& c) { c.mark_loaded(1); }},
      {"set_window_aside", WindowState::sealed, [](Checkpoint& c) { c.set_window_aside(1); }},
      {"keep_receipts", WindowState::loaded, [](Checkpoint& c) { c.keep_receipts(1, {}); }},
      {"close", WindowState::loaded, [](Checkpoint& c) { c.close(1, kWall); }}};
  for (const WindowState state :
       {WindowState::open, WindowState::sealed, WindowState::loaded, WindowState::closed}) {
    for (const Step& step : steps) {
      SCOPED_TRACE(std::string(step.name) + " from " + std::to_string(static_cast<int>(state)));
      std::filesystem::remove(path_);
      leave_window(state);
      Checkpoint checkpoint = open();
      if (step.from == state) {
        EXPECT_NO_THROW(step.move(checkpoint));
        continue;
      }
      EXPECT_THROW(step.move(checkpoint), std::logic_error);
      const Window window =
          state == WindowState::closed ? checkpoint.closed().at(0) : checkpoint.unfinished().at(0);
      EXPECT_EQ(window.state, state);
      EXPECT_EQ(window.messages, 3u);
      EXPECT_EQ(checkpoint.receipts(1).size(), state == WindowState::closed ? 0u : 3u);
    }
  }
}

TEST_F(CheckpointStates, a_window_that_does_not_exist_is_a_bug) {
  Checkpoint checkpoint = open();
  EXPECT_THROW(checkpoint.seal(7, kId), std::logic_error);
  EXPECT_THROW(checkpoint.read(7), std::logic_error);
  EXPECT_THROW(checkpoint.receipts(7), std::logic_error);
}

TEST_F(CheckpointStates, an_open_window_is_not_read_and_an_empty_one_is_not_sealed) {
  Checkpoint checkpoint = open();
  const std::int64_t number = checkpoint.open_window(kWall);
  EXPECT_THROW(checkpoint.seal(number, kId), std::logic_error);
  EXPECT_THROW(checkpoint.stage_and_seal(number, {}, {}, {}, kId), std::logic_error);
  checkpoint.stage(number, batch_of(1), {}, {});
  EXPECT_THROW(checkpoint.read(number), std::logic_error);
}

TEST_F(CheckpointStates, an_empty_window_is_not_carried) {
  { open().open_window(kWall); }
  EXPECT_TRUE(open().unfinished().empty());
}

TEST_F(CheckpointStates, what_was_staged_is_read_in_its_order) {
  Checkpoint checkpoint = open();
  const std::int64_t other = checkpoint.open_window(kWall);
  const std::int64_t number = checkpoint.open_window(kWall);
  const std::string big(200'000, 'x');
  checkpoint.stage(number, batch_of(2, 100, big), {}, {});
  checkpoint.stage(other, batch_of(1, 500, "of the other window"), {}, {});
  checkpoint.stage(number, batch_of(1, 50, ""), {}, {});
  const Window sealed = checkpoint.seal(number, kId);
  // Moved, as it is on its way to the loader: the messages must view into what moves along.
  SealedWindow read = checkpoint.read(number);
  const SealedWindow window = std::move(read);
  EXPECT_EQ(window.window.digest, sealed.digest);
  ASSERT_EQ(window.messages.size(), 3u);
  EXPECT_EQ(window.messages[0].key.sent_ms, 100);
  EXPECT_EQ(window.messages[1].rows.at(0).tuple, big);
  EXPECT_EQ(window.messages[2].key.sent_ms, 50);
  EXPECT_EQ(window.messages[2].rows.at(0).tuple, "");
}

TEST_F(CheckpointStates, a_window_of_many_pieces_is_read_back_in_its_order) {
  Checkpoint checkpoint = open();
  const std::int64_t number = checkpoint.open_window(kWall);
  const int count = 40;
  const std::string tuple(kPieceBytes / 10, 'x');
  const std::string prefix(kPieceBytes / 10, 'r');
  checkpoint.stage(number, batch_of(count, kWall, tuple), receipts_of(0, count, prefix),
                   {{1, "new"}});
  checkpoint.seal(number, kId);
  const SealedWindow window = checkpoint.read(number);
  EXPECT_GT(window.batches.size(), 3u);
  const std::vector<Receipt> receipts = checkpoint.receipts(number);
  ASSERT_EQ(window.messages.size(), 40u);
  ASSERT_EQ(receipts.size(), 40u);
  for (std::uint32_t i = 0; i < 40; ++i) {
    EXPECT_EQ(window.messages[i].key.sent_ms, kWall + i);
    EXPECT_EQ(receipts[i].position, i);
    EXPECT_EQ(receipts[i].handle, i == 1 ? "new" : prefix + std::to_string(i));
  }
}

TEST_F(CheckpointStates, staged_and_sealed_in_one_move_a_window_is_the_same) {
  Checkpoint checkpoint = open();
  const auto sealed_by = [&](auto seal) {
    const std::int64_t number = checkpoint.open_window(kWall);
    checkpoint.stage(number, batch_of(2), receipts_of(0, 2, "r"), {});
    const Window sealed = seal(number, batch_of(1, kWall - 5), receipts_of(2, 1, "r"));
    EXPECT_EQ(sealed.state, WindowState::sealed);
    EXPECT_EQ(sealed.id, kId);
    EXPECT_EQ(sealed.messages, 3u);
    EXPECT_EQ(sealed.oldest_sent_ms, kWall - 5);
    EXPECT_EQ(checkpoint.read(number).messages.size(), 3u);
    EXPECT_EQ(handles(checkpoint.receipts(number)), (Handles{"0=r0", "1=newer", "2=r2"}));
    return sealed.digest;
  };
  const Receipts newer = {{1, "newer"}};
  EXPECT_EQ(sealed_by([&](std::int64_t number, const StagedBatch& batch, const Receipts& receipts) {
              return checkpoint.stage_and_seal(number, batch, receipts, newer, kId);
            }),
            sealed_by([&](std::int64_t number, const StagedBatch& batch, const Receipts& receipts) {
              checkpoint.stage(number, batch, receipts, newer);
              return checkpoint.seal(number, kId);
            }));
}

TEST_F(CheckpointStates, equal_contents_have_equal_digests_and_others_have_others) {
  Checkpoint checkpoint = open();
  const auto digest_of = [&](const std::vector<StagedBatch>& batches) {
    const std::int64_t number = checkpoint.open_window(kWall);
    for (const StagedBatch& batch : batches) checkpoint.stage(number, batch, {}, {});
    return checkpoint.seal(number, kId).digest;
  };
  const StagedBatch one = batch_of(1, 1);
  const StagedBatch two = batch_of(1, 2);
  EXPECT_EQ(digest_of({one, two}), digest_of({one, two}));
  EXPECT_NE(digest_of({one, two}), digest_of({two, one}));
  EXPECT_NE(digest_of({one, two}), digest_of({one}));
}

TEST_F(CheckpointStates, the_newest_receipt_wins) {
  Checkpoint checkpoint = open();
  const std::int64_t number = checkpoint.open_window(kWall);
  checkpoint.stage(number, batch_of(3), receipts_of(0, 3, "old-"), {});
  checkpoint.stage(number, batch_of(1), receipts_of(3, 1, "old-"), {{1, "new"}, {3, "newer"}});
  checkpoint.stage(number, {}, {}, {{1, "newest"}});
  EXPECT_EQ(handles(checkpoint.receipts(number)),
            (Handles{"0=old-0", "1=newest", "2=old-2", "3=newer"}));
  EXPECT_EQ(checkpoint.unfinished()[0].messages, 4u);
}

TEST_F(CheckpointStates, a_receipt_of_no_message_is_refused) {
  Checkpoint checkpoint = open();
  const std::int64_t number = checkpoint.open_window(kWall);
  EXPECT_THROW(checkpoint.stage(number, batch_of(1), {}, {{1, "r"}}), std::logic_error);
  EXPECT_EQ(checkpoint.unfinished()[0].messages, 0u) << "rolled back whole";
}

TEST_F(CheckpointStates, only_the_receipts_that_are_left_are_kept) {
  leave_window(WindowState::loaded);
  open().keep_receipts(1, {{2, "left"}});
  Checkpoint checkpoint = open();
  EXPECT_EQ(handles(checkpoint.receipts(1)), Handles{"2=left"});
  checkpoint.keep_receipts(1, {});
  EXPECT_TRUE(checkpoint.receipts(1).empty());
  EXPECT_EQ(checkpoint.unfinished().at(0).state, WindowState::loaded);
}

TEST_F(CheckpointStates,
       what_stays_in_the_queue_loses_its_receipts_as_the_window_is_marked_loaded) {
  {
    Checkpoint checkpoint = open();
    const std::int64_t number = checkpoint.open_window(kWall);
    checkpoint.stage(number, batch_of(3), receipts_of(0, 3, "old-"), {});
    checkpoint.stage(number, batch_of(2), receipts_of(3, 2, "old-"), {{0, "new"}, {1, "new"}});
    checkpoint.seal(number, kId);
    checkpoint.mark_loaded(number, {1, 4});
  }
  Checkpoint checkpoint = open();
  EXPECT_EQ(handles(checkpoint.receipts(1)), (Handles{"0=new", "2=old-2", "3=old-3"}));
  EXPECT_EQ(checkpoint.unfinished().at(0).state, WindowState::loaded);
  EXPECT_EQ(checkpoint.read(1).messages.size(), 5u) << "contents stay";
}

TEST_F(CheckpointStates, a_window_of_which_everything_stays_is_loaded_without_receipts) {
  leave_window(WindowState::sealed);
  open().mark_loaded(1, {0, 1, 2});
  Checkpoint checkpoint = open();
  EXPECT_TRUE(checkpoint.receipts(1).empty());
  checkpoint.close(1, kWall);
}

TEST_F(CheckpointStates, a_message_that_is_not_there_cannot_stay) {
  leave_window(WindowState::sealed);
  Checkpoint checkpoint = open();
  EXPECT_THROW(checkpoint.mark_loaded(1, {0, 3}), std::logic_error);
  EXPECT_EQ(checkpoint.unfinished().at(0).state, WindowState::sealed);
  EXPECT_EQ(checkpoint.receipts(1).size(), 3u);
}

TEST_F(CheckpointStates, a_resealed_window_has_the_new_id_and_the_old_contents) {
  leave_window(WindowState::sealed);
  Checkpoint checkpoint = open();
  const Window before = checkpoint.unfinished().at(0);
  const WindowId other{42};
  EXPECT_EQ(checkpoint.reseal(1, other).id, other);
  EXPECT_EQ(checkpoint.read(1).window.id, other);
  EXPECT_EQ(checkpoint.read(1).window.digest, before.digest);
}

TEST_F(CheckpointStates, a_window_set_aside_is_kept_and_shown_but_not_carried) {
  leave_window(WindowState::sealed);
  open().set_window_aside(1);
  {
    Checkpoint checkpoint = open();
    EXPECT_TRUE(checkpoint.unfinished().empty());
    checkpoint.prune(kWall * 2, 0);
    EXPECT_EQ(checkpoint.read(1).messages.size(), 3u);
  }
  const CheckpointGlance glance = glance_at(path_);
  ASSERT_EQ(glance.windows.size(), 1u);
  EXPECT_TRUE(glance.windows[0].set_aside);
}

class CheckpointPrune : public CheckpointWorld {
 protected:
  /// Closed windows of equal size, closed at the times given.
  static void close_windows(Checkpoint& checkpoint, const std::vector<std::int64_t>& times) {
    for (const std::int64_t time : times) {
      const std::int64_t number = checkpoint.open_window(kWall);
      checkpoint.stage(number, batch_of(1), receipts_of(0, 1, "r"), {});
      checkpoint.seal(number, kId);
      checkpoint.mark_loaded(number);
      checkpoint.close(number, time);
    }
  }
  static std::vector<std::int64_t> times(const Checkpoint& checkpoint) {
    std::vector<std::int64_t> times;
    for (const Window& window : checkpoint.closed()) times.push_back(window.closed_ms);
    return times;
  }
};

using Times = std::vector<std::int64_t>;

TEST_F(CheckpointPrune, closed_windows_go_by_age) {
  Checkpoint checkpoint = open();
  close_windows(checkpoint, {10, 20, 30});
  checkpoint.prune(20, 1 << 30);
  EXPECT_EQ(times(checkpoint), (Times{20, 30}));
}

TEST_F(CheckpointPrune, the_oldest_closed_windows_go_by_size) {
  Checkpoint checkpoint = open();
  close_windows(checkpoint, {30, 10, 20});
  const std::uint64_t one = checkpoint.closed()[0].bytes + Checkpoint::kWindowOverhead;
  checkpoint.prune(0, 2 * one);
  EXPECT_EQ(times(checkpoint), (Times{30, 20}));
  checkpoint.prune(0, 2 * one - 1);
  EXPECT_EQ(times(checkpoint), Times{30});
  checkpoint.prune(0, 0);
  EXPECT_TRUE(times(checkpoint).empty());
}

TEST_F(CheckpointPrune, what_is_unfinished_stays_whatever_its_age_and_size) {
  Checkpoint checkpoint = open();
  close_windows(checkpoint, {10});
  const std::int64_t carried = checkpoint.open_window(0);
  checkpoint.stage(carried, batch_of(2), receipts_of(0, 2, "r"), {});
  checkpoint.seal(carried, kId);
  checkpoint.prune(kWall * 2, 0);
  EXPECT_TRUE(checkpoint.closed().empty());
  EXPECT_EQ(checkpoint.read(carried).messages.size(), 2u);
  EXPECT_EQ(checkpoint.receipts(carried).size(), 2u);
}

TEST_F(CheckpointPrune, the_room_of_pruned_windows_is_told) {
  Checkpoint checkpoint = open();
  const std::int64_t number = checkpoint.open_window(kWall);
  checkpoint.stage(number, batch_of(200, kWall, std::string(1000, 'x')), receipts_of(0, 200, "r"),
                   {});
  checkpoint.seal(number, kId);
  checkpoint.mark_loaded(number);
  checkpoint.close(number, 10);
  const std::uint64_t before = checkpoint.reusable_bytes();
  checkpoint.prune(0, 0);
  EXPECT_GE(checkpoint.reusable_bytes(), before + 150'000);
}

TEST_F(CheckpointPrune, the_room_of_pruned_windows_is_used_again) {
  Checkpoint checkpoint = open();
  const StagedBatch batch = batch_of(200, kWall, std::string(1000, 'x'));
  const auto one_round = [&] {
    const std::int64_t number = checkpoint.open_window(kWall);
    checkpoint.stage(number, batch, {}, {});
    checkpoint.seal(number, kId);
    checkpoint.mark_loaded(number);
    checkpoint.close(number, kWall);
    checkpoint.prune(0, 0);
  };
  one_round();
  const auto size = std::filesystem::file_size(path_);
  for (int round = 0; round < 5; ++round) one_round();
  EXPECT_EQ(std::filesystem::file_size(path_), size);
}

}  // namespace
}  // namespace sluice
