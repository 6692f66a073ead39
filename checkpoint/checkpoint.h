// SPDX-License-Identifier: Apache-2.0
// The windows of one worker, on local disk: crash recovery, and what lets the next run delete what
// the last one loaded. States, schema and what is true after a crash at each step: README.md beside
// this file.
//
// Every call that changes something is one SQLite transaction, on the disk when it returns
// (synchronous=FULL). One thread at a time, and one object a file and process: POSIX drops a
// process's locks with the first descriptor it closes.
//
// Errors are CheckpointError; after `disk_full` and `locked` the same call may be made again.
// std::logic_error is a bug of the caller: a window that is not in the state that the call expects.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/staged.h"
#include "checkpoint/window.h"

namespace sluice::sqlite {
class Connection;
}

namespace sluice {

/// For whom the file is. Another pipeline's file is refused; another queue's or database's is set
/// aside.
struct CheckpointIdentity {
  std::string pipeline;
  std::string queue;     // queue URL
  std::string database;  // identity of the sluice schema
};

class CheckpointError : public std::exception {
 public:
  enum class Kind {
    locked,  // another process holds it; `what` names it
    other_pipeline,
    newer,       // written by a newer version
    unwritable,  // folder missing, read-only, no right, a folder, a network file system
    disk_full,
    damaged,  // while in use; at open a damaged file is set aside instead
  };
  CheckpointError(Kind kind, std::string what) : kind_(kind), what_(std::move(what)) {}
  Kind kind() const { return kind_; }
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  Kind kind_;
  std::string what_;
};

class Checkpoint {
 public:
  /// What a closed window costs beside its contents, so that a great many small ones are bounded
  /// too: two pages.
  static constexpr std::uint64_t kWindowOverhead = 32 << 10;

  /// Opens or makes the file (0600) and holds its lock until destroyed. A damaged file, or one of
  /// another queue or database, is renamed to `<path>.set-aside-<wall_ms>` first; `set_aside()`
  /// then says what and why.
  Checkpoint(const std::string& path, const CheckpointIdentity& identity, std::int64_t wall_ms);
  ~Checkpoint();
  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;

  /// One sentence, or empty: "x.db was damaged (…) and is kept as x.db.set-aside-…".
  const std::string& set_aside() const { return set_aside_; }

  /// Windows that are open, sealed or loaded and not set aside, by number.
  std::vector<Window> unfinished() const;
  /// Windows that are closed and not pruned, by number.
  std::vector<Window> closed() const;

  /// (none) → open. Durable only with its first `stage`: an empty window does not survive a crash.
  std::int64_t open_window(std::int64_t wall_ms);
  /// Adds the messages of `batch` and their receipts, in the batch's order, and newer receipts
  /// (`renewed`) for messages staged before: those win.
  void stage(std::int64_t number, const StagedBatch& batch, const std::vector<Receipt>& receipts,
             const std::vector<Receipt>& renewed);
  /// open → sealed: contents fixed, counted, digested; `id` exists from here on.
  Window seal(std::int64_t number, const WindowId& id);
  /// `stage` and `seal` in one move: for the last messages of a window.
  Window stage_and_seal(std::int64_t number, const StagedBatch& batch,
                        const std::vector<Receipt>& receipts, const std::vector<Receipt>& renewed,
                        const WindowId& id);
  /// A sealed window whose id turned out to stand for other contents takes a new one.
  Window reseal(std::int64_t number, const WindowId& id);
  /// Verified: a count or digest that is wrong throws `damaged`.
  SealedWindow read(std::int64_t number) const;
  /// sealed → loaded. The receipts at the positions `left`, which ascend, go in the same move:
  /// those messages stay in the queue.
  void mark_loaded(std::int64_t number, const std::vector<std::uint32_t>& left = {});
  /// The newest receipt of each message, by position; of those still to be deleted.
  std::vector<Receipt> receipts(std::int64_t number) const;
  /// Only these are still to be deleted: written when a run ends before its deletes do.
  void keep_receipts(std::int64_t number, const std::vector<Receipt>& left);
  /// loaded → closed. Receipts go; contents stay until pruned.
  void close(std::int64_t number, std::int64_t wall_ms);
  /// Sealed and never to be loaded by itself: too old for the ledger to recognise.
  void set_window_aside(std::int64_t number);
  /// Forgets closed windows that closed before `before_wall_ms`, and the oldest ones until the rest
  /// is under `most_bytes`, each counted with its overhead.
  void prune(std::int64_t before_wall_ms, std::uint64_t most_bytes);
  /// Room inside the file that later windows will use.
  std::uint64_t reusable_bytes() const;

 private:
  std::string set_aside_;
  std::unique_ptr<sqlite::Connection> db_;
};

/// Bytes free for us on the file system of `path`, and whether it is one on which SQLite's locks do
/// not hold (NFS).
struct DiskSpace {
  std::uint64_t free_bytes = 0;
  bool network = false;
};
DiskSpace disk_space(const std::string& folder);

}  // namespace sluice
