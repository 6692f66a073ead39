// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/occurrences.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include <unistd.h>

#include "checkpoint/bloom_filter.h"
#include "checkpoint/packed.h"
#include "checkpoint/sqlite.h"

namespace sluice {
namespace {

/// A small file needs few, and there may be many small files.
constexpr std::size_t kFirstSlots = 1 << 10;
// 6 MiB and 16 MiB; the rest is SQLite's.
constexpr std::size_t kMostSlots = 1 << 18;
constexpr std::size_t kFilterWords = 2 << 20;

/// Nothing is worth a journal or a sync: the file means nothing to another process.
constexpr const char* kSettings =
    "PRAGMA locking_mode = EXCLUSIVE;"
    "PRAGMA page_size = 16384;"
    "PRAGMA journal_mode = OFF;"
    "PRAGMA synchronous = OFF;"
    "PRAGMA cache_size = -1024;"  // KiB
    "CREATE TABLE occurrence (digest BLOB PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID;";

std::unique_ptr<sqlite::Connection> nameless_file(const std::string& folder) {
  using Kind = CheckpointError::Kind;
  std::string path = folder + "/.sluice-occurrences-XXXXXX";
  const int made = mkstemp(path.data());
  if (made < 0) {
    throw CheckpointError(
        errno == ENOSPC || errno == EDQUOT ? Kind::disk_full : Kind::unwritable,
        "temporary file in " + folder + ": " + std::generic_category().message(errno));
  }
  ::close(made);
  try {
    auto db = std::make_unique<sqlite::Connection>(path, 0);
    ::unlink(path.c_str());
    db->execute(kSettings);
    return db;
  } catch (const std::exception&) {
    ::unlink(path.c_str());
    throw;
  }
}

struct Slot {
  Occurrences::Digest128 digest;
  std::uint64_t times;  // 0: the slot is free
};

}  // namespace

class Occurrences::Impl {
 public:
  explicit Impl(std::string folder) : folder_(std::move(folder)), slots_(kFirstSlots) {}

  std::uint64_t count(const Digest128& digest) {
    Slot* slot = &slot_of(digest);
    if (slot->times == 0) {
      if (filled_ == slots_.size() / 4 * 3) {
        slots_.size() < kMostSlots ? grow() : put_down();
        slot = &slot_of(digest);
      }
      *slot = {digest, times_put_down(digest)};
      ++filled_;
    }
    return slot->times++;
  }

  void clear() {
    slots_.assign(kFirstSlots, {});
    filled_ = 0;
    filter_ = {};
    db_.reset();
  }

 private:
  /// Where it is, or the free slot where it belongs.
  Slot& slot_of(const Digest128& digest) {
    std::size_t at = 0;
    std::memcpy(&at, digest.data(), sizeof at);
    while (true) {
      Slot& slot = slots_[at++ % slots_.size()];
      if (slot.times == 0 || slot.digest == digest) return slot;
    }
  }

  void grow() {
    const auto before = std::exchange(slots_, std::vector<Slot>(2 * slots_.size()));
    for (const Slot& slot : before) {
      if (slot.times != 0) slot_of(slot.digest) = slot;
    }
  }

  std::uint64_t times_put_down(const Digest128& digest) {
    if (!filter_.may_hold(digest)) return 0;
    auto row = db_->statement("SELECT times FROM occurrence WHERE digest = ?",
                              sqlite::Blob{packed::view(digest)});
    return row.next() ? static_cast<std::uint64_t>(row.integer(0)) : 0;
  }

  /// In order, so that each page of the table is written once.
  void put_down() {
    if (!db_) db_ = nameless_file(folder_);
    if (!filter_.has_room()) filter_ = BloomFilter(kFilterWords);
    const auto end =
        std::partition(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.times; });
    std::sort(slots_.begin(), end,
              [](const Slot& one, const Slot& other) { return one.digest < other.digest; });
    sqlite::Transaction transaction(*db_);
    for (auto slot = slots_.begin(); slot != end; ++slot) {
      db_->statement("INSERT OR REPLACE INTO occurrence VALUES (?, ?)",
                     sqlite::Blob{packed::view(slot->digest)},
                     static_cast<std::int64_t>(slot->times))
          .run();
      filter_.add(slot->digest);
    }
    transaction.commit();
    std::ranges::fill(slots_, Slot{});
    filled_ = 0;
  }

  std::string folder_;
  std::vector<Slot> slots_;
  std::size_t filled_ = 0;
  /// Of what was put down.
  BloomFilter filter_;
  std::unique_ptr<sqlite::Connection> db_;
};

Occurrences::Occurrences(const std::string& folder) : impl_(std::make_unique<Impl>(folder)) {}

Occurrences::~Occurrences() = default;

std::uint64_t Occurrences::count(const Digest128& digest) { return impl_->count(digest); }

void Occurrences::clear() { impl_->clear(); }

}  // namespace sluice
