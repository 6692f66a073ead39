// SPDX-License-Identifier: Apache-2.0
// The last messages of the open window: masked already, not yet on disk.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "job/mask/masker.h"
#include "job/pipeline/held_window.h"
#include "job/queue/queue.h"

namespace sluice {

class Staging {
 public:
  Staging(Masker& masker, Checkpoint& checkpoint, bool fifo)
      : masker_(masker), checkpoint_(checkpoint), fifo_(fifo) {}

  enum class Accepted {
    fresh,  // masked and added to the open window
    /// The window has it already: it keeps its row and takes the newest receipt, the only one that
    /// surely deletes.
    again,
    /// The window has it with another receipt, and nothing tells which is the later: SQS counts
    /// receives approximately. In the next window the message is a duplicate, and deleted by both.
    undecided,
  };
  /// Takes the receipt, unless it is undecided.
  Accepted accept(Message& message, HeldWindow& open, std::int64_t now_ms);
  /// A commit costs four fsyncs: not one for each receive.
  bool is_due(std::int64_t now_ms) const { return now_ms >= due_ms(); }
  /// When a flush is wanted, on the steady clock; far away when nothing waits.
  std::int64_t due_ms() const;
  /// To the disk. The window is the one that the messages were accepted for.
  void flush(HeldWindow& open);
  /// To the disk, and nothing more comes into the window.
  void seal(HeldWindow& open, const WindowId& id);
  /// Forgets what is not staged; its receipts, to give the messages back.
  std::vector<std::string> discard(HeldWindow& open);
  /// The most often that one of the unstaged was received; 0 when there is none.
  std::uint32_t highest_receive_count(const HeldWindow& open) const;

  std::uint64_t bytes() const { return batch_.bytes().size(); }

  /// Spent on commits so far.
  std::int64_t commit_ns() const { return commit_ns_; }
  const Masker& masker() const { return masker_; }

 private:
  void clear();

  Masker& masker_;
  Checkpoint& checkpoint_;
  bool fifo_;
  StagedBatch batch_;
  std::vector<Receipt> fresh_;    // of the messages in the batch
  std::vector<Receipt> renewed_;  // newer ones of messages staged before
  std::int64_t since_ms_ = 0;
  std::int64_t commit_ns_ = 0;
};

}  // namespace sluice
