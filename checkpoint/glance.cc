// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/glance.h"

#include <array>
#include <cerrno>
#include <filesystem>
#include <new>
#include <system_error>

#include <stdlib.h>
#include <sys/stat.h>

#include "checkpoint/contents.h"
#include "checkpoint/file_lock.h"
#include "checkpoint/format.h"
#include "checkpoint/window_rows.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using Kind = CheckpointError::Kind;

std::string trouble_with(const std::string& path, const std::string& what) {
  return "checkpoint " + path + ": " + what;
}

void read(const std::string& path, CheckpointGlance& glance) {
  // SQLite deletes the journal of an empty file, even when it may only read.
  std::error_code unknown;
  if (fs::file_size(path, unknown) == 0) throw sqlite::Damaged(path, "it is empty");
  sqlite::Connection db(path, 0, sqlite::Access::read);
  glance.owner = owner_of(db);
  require_this_format(db);
  for (const Window& window : window_rows::all(db)) {
    if (window.state == WindowState::closed) {
      ++glance.closed;
      glance.closed_messages += window.to_delete;
    } else if (window.messages > 0) {
      glance.windows.push_back(window);
    }
    if (window.state != WindowState::loaded) continue;
    const std::vector<MessageKey> left = contents::keys_with_receipts(db, window);
    glance.undeleted.insert(glance.undeleted.end(), left.begin(), left.end());
  }
}

/// A file with its journal, as they are now, in a folder that goes with it.
class Copy {
 public:
  explicit Copy(const std::string& path) {
    std::string name = (fs::temp_directory_path() / "sluice-status-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      throw fs::filesystem_error("", {errno, std::generic_category()});
    }
    folder_ = name;
    for (const char* suffix : {"", "-journal"}) fs::copy_file(path + suffix, this->path() + suffix);
  }
  ~Copy() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;

  std::string path() const { return folder_ + "/checkpoint.db"; }

 private:
  std::string folder_;
};

/// A run was killed within a transaction. To roll it back is the next run's business; what that
/// will find is seen in a copy.
void read_copy(const std::string& path, CheckpointGlance& glance) try {
  const Copy copy(path);
  sqlite::Connection(copy.path(), 0).execute("SELECT * FROM sqlite_schema");  // rolls back
  read(copy.path(), glance);
} catch (const fs::filesystem_error& error) {
  throw CheckpointError(
      Kind::unwritable,
      trouble_with(path,
                   "a run was killed while it wrote to it, and no copy can be made to see "
                   "what it left: " +
                       error.code().message()));
}

CheckpointGlance read_as_it_is(const std::string& path) {
  CheckpointGlance seen, unseen;
  seen.exists = unseen.exists = true;
  try {
    try {
      read(path, seen);
    } catch (const sqlite::HotJournal&) {
      read_copy(path, seen);
    }
    return seen;
  } catch (const sqlite::Damaged& damage) {
    unseen.trouble = trouble_with(path, "is damaged (" + damage.reason() + ")");
    unseen.heals = true;
  } catch (const Unsuitable& file) {
    unseen.trouble = trouble_with(path, file.because);
    unseen.heals = true;
  } catch (const CheckpointError& failure) {
    unseen.trouble = failure.what();
  } catch (const std::bad_alloc&) {
    unseen.trouble = trouble_with(path, "is damaged (SQLite finds no memory for what it holds)");
    unseen.heals = true;
  }
  return unseen;
}

/// Which file it is, and when it and its journal were last written to. A run writes at its start,
/// under the lock that it then keeps: where this stays the same and nobody has the lock, nobody
/// wrote.
using Stamp = std::array<std::int64_t, 10>;

Stamp stamp_of(const std::string& path) {
  Stamp stamp{};
  auto next = stamp.begin();
  for (const std::string& name : {path, path + "-journal"}) {
    struct stat about {};
    if (stat(name.c_str(), &about) != 0) about = {};
    for (const std::int64_t part :
         {std::int64_t(about.st_dev), std::int64_t(about.st_ino), std::int64_t{about.st_size},
          std::int64_t{about.st_mtim.tv_sec}, std::int64_t{about.st_mtim.tv_nsec}}) {
      *next++ = part;
    }
  }
  return stamp;
}

}  // namespace

CheckpointGlance glance_at(const std::string& given) {
  CheckpointGlance glance;
  std::error_code error;
  // SQLite names the journal after what a link leads to.
  const std::string path = fs::weakly_canonical(given, error);
  if (!error) glance.exists = fs::exists(path, error);
  if (!error && !glance.exists) return glance;
  glance.exists = true;
  if (error || !fs::is_regular_file(path, error)) {
    glance.trouble = trouble_with(given, error ? error.message() : "is no regular file");
    return glance;
  }
  const Stamp before = stamp_of(path);
  auto holder = lock_holder(path);
  if (!holder) {
    CheckpointGlance seen = read_as_it_is(path);
    holder = lock_holder(path);
    if (!holder && stamp_of(path) == before) return seen;
  }
  glance.locked = true;
  glance.holder = holder.value_or("another process");
  return glance;
}

}  // namespace sluice
