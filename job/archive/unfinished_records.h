// SPDX-License-Identifier: Apache-2.0
// Which records of an archive were given out and are not loaded yet, and so how far everything is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "job/archive/position.h"

namespace sluice {

class UnfinishedRecords {
 public:
  explicit UnfinishedRecords(ArchivePosition start) : next_(start) {}

  /// True, once, when the record was loaded before it was read: its window was left by an earlier
  /// run. It is not given out.
  bool take_finished(ArchivePosition position) { return early_.erase(position) > 0; }
  /// Given out, in the order of the archive. Two files may hold the same message: returns a receive
  /// count that is higher than that of the one before which is still out, at least `receive_count`.
  std::uint32_t give_out(ArchivePosition position, const std::string& id,
                         std::uint32_t receive_count);
  /// Everything before it is read.
  void read_to(ArchivePosition position) { next_ = position; }
  /// Its window is loaded; so is every record that is out under the same id and came before it,
  /// because a message is in the ledger or it is not.
  void finish(ArchivePosition position);

  /// Every record before it is loaded, or was not wanted.
  ArchivePosition loaded_to() const;
  std::size_t out() const { return out_.size(); }

 private:
  struct Record {
    ArchivePosition position;
    std::string id;
    std::optional<ArchivePosition> same;  // the one before it under the same id
    bool finished = false;
  };
  struct Last {
    ArchivePosition position;
    std::uint32_t receive_count;
  };
  Record* find(ArchivePosition position);

  ArchivePosition next_;
  std::deque<Record> out_;  // ascending; the first is not finished
  std::unordered_map<std::string, Last> last_;
  std::set<ArchivePosition> early_;
};

}  // namespace sluice
