// SPDX-License-Identifier: Apache-2.0
// Archive files as a queue: receiving reads on, deleting remembers what is loaded, and a record
// that was given out and not deleted is there again in the next run.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/occurrences.h"
#include "job/archive/archive_file.h"
#include "job/archive/archive_messages.h"
#include "job/archive/cursor.h"
#include "job/archive/records.h"
#include "job/archive/unfinished_records.h"
#include "job/base/secret.h"
#include "job/config/pipeline.h"
#include "job/queue/queue.h"

namespace sluice {

/// What is read, and which part of it is wanted.
struct ArchiveInput {
  std::vector<std::string> files;  // paths; "-" is standard input
  ArchiveFormat format;
  /// Sent at this time or later, and before that one. A record without a readable time is wanted:
  /// it is a rejection, or has no time to judge by.
  std::optional<std::int64_t> since_ms;
  std::optional<std::int64_t> until_ms;
  /// Begins at the start whatever an earlier run did, and leaves no trace of how far it came.
  bool is_trial = false;
};

class ArchiveQueue : public Queue {
 public:
  /// `state`: path of the cursor's file; what else is put down for a while lies in its folder.
  /// `id_key`: 32 bytes that make the ids of bodies. Every file is opened once, to see that it can
  /// be: Failure{configuration}.
  ArchiveQueue(ArchiveInput input, const Pipeline& pipeline, const Secret& id_key,
               const std::string& state);
  ~ArchiveQueue() override;
  ArchiveQueue(const ArchiveQueue&) = delete;
  ArchiveQueue& operator=(const ArchiveQueue&) = delete;

  void receive(Ticket ticket, int most, int wait_s, int visibility_s) override;
  void remove(Ticket ticket, const std::vector<std::string>& handles) override;
  void hide(Ticket ticket, const std::vector<std::string>& handles, int visibility_s) override;
  /// `visible` is an estimate by size, and 0 at the end only.
  void count(Ticket ticket) override;
  void stop_receiving() override;
  void wait(std::int64_t at_most_ms, std::vector<QueueAnswer>& answers) override;
  void wake() override;
  void abandon() override;
  Requests requests() const override { return {}; }

  /// Nothing is left to read.
  bool at_end() const { return at_end_; }
  /// Where the run begins: not at the start when an earlier one was cut short.
  ArchivePosition start() const { return cursor_.start(); }
  /// The run is over. With `loaded_all` the next one begins at the start.
  void end(bool loaded_all);

 private:
  struct Asked {
    Ticket ticket;
    int most;
    std::int64_t until_ms;  // steady clock; then it is answered with what there is
  };
  /// Until an order can be answered, it is woken, or the time has passed.
  void pause(std::int64_t at_most_ms);
  /// Adds to `bytes` those of the bodies. None while it may wait for a pipe.
  std::optional<QueueAnswer> read(const Asked& asked, std::size_t& bytes);
  /// Until where the run begins; false when there is more to pass over.
  bool skip_to_start();
  /// A failure of reading stays: each later call meets it. An empty pipe ends the work.
  void attempt(const std::function<void()>& work);
  std::optional<Message> next();
  std::optional<std::string_view> next_record();
  bool is_wanted(const Message& message) const;
  std::int64_t records_left() const;
  ArchivePosition position_in(const std::string& handle) const;

  ArchiveInput input_;
  std::uint64_t total_bytes_ = 0;  // of the files that have a size; summed up for the cursor
  Cursor cursor_;
  UnfinishedRecords unfinished_;
  Occurrences occurrences_;
  ArchiveMessages messages_;
  std::uint64_t bytes_before_ = 0;  // of the files that were read
  std::uint64_t records_read_ = 0;
  ArchivePosition position_;  // of the next record
  std::unique_ptr<ArchiveFile> file_;
  std::optional<Records> records_;
  bool at_end_ = false;
  bool pipe_is_empty_ = false;
  std::optional<Failure> broken_;  // reading, for good

  bool stopped_ = false;
  std::deque<Asked> asked_;
  std::vector<QueueAnswer> answers_;
  int woken_;  // an eventfd
};

}  // namespace sluice
