// SPDX-License-Identifier: Apache-2.0
#include "job/archive/unfinished_records.h"

#include <algorithm>

namespace sluice {

std::uint32_t UnfinishedRecords::give_out(ArchivePosition position, const std::string& id,
                                          std::uint32_t receive_count) {
  Record record{position, id, {}};
  const auto [last, is_first] = last_.try_emplace(id, Last{position, receive_count});
  if (!is_first) {
    record.same = last->second.position;
    last->second = {position, std::max(receive_count, last->second.receive_count + 1)};
  }
  out_.push_back(std::move(record));
  return last->second.receive_count;
}

UnfinishedRecords::Record* UnfinishedRecords::find(ArchivePosition position) {
  const auto found = std::ranges::lower_bound(out_, position, {}, &Record::position);
  return found != out_.end() && found->position == position ? &*found : nullptr;
}

void UnfinishedRecords::finish(ArchivePosition position) {
  if (position >= next_) early_.insert(position);
  for (std::optional<ArchivePosition> at = position; at;) {
    Record* record = find(*at);
    if (record == nullptr || record->finished) break;
    record->finished = true;
    const auto last = last_.find(record->id);
    if (last != last_.end() && last->second.position == *at) last_.erase(last);
    at = record->same;
  }
  while (!out_.empty() && out_.front().finished) out_.pop_front();
}

ArchivePosition UnfinishedRecords::loaded_to() const {
  return out_.empty() ? next_ : out_.front().position;
}

}  // namespace sluice
