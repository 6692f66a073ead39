// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/disk.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <new>
#include <stdexcept>

#include <sqlite3.h>

namespace sluice::simulation {
namespace {

sqlite3_vfs* below = nullptr;  // SQLite's own

/// What SQLite allocates for an open file: this, and behind it the file of the layer below.
struct File {
  sqlite3_file base;
  Disk::Machine* machine;
  std::string* name;

  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  bool dead() const { return machine != nullptr && machine->dead; }
};

File& file(sqlite3_file* handle) { return *reinterpret_cast<File*>(handle); }

int close_file(sqlite3_file* handle) {
  File& self = file(handle);
  delete self.name;
  return self.real()->pMethods->xClose(self.real());
}

int read(sqlite3_file* handle, void* to, int amount, sqlite3_int64 at) {
  File& self = file(handle);
  if (self.dead()) return SQLITE_IOERR_READ;
  return self.real()->pMethods->xRead(self.real(), to, amount, at);
}

int write(sqlite3_file* handle, const void* from, int amount, sqlite3_int64 at) {
  File& self = file(handle);
  sqlite3_file* real = self.real();
  if (self.machine == nullptr) return real->pMethods->xWrite(real, from, amount, at);
  Disk::Machine& machine = *self.machine;
  if (machine.writes_left > 0 && --machine.writes_left == 0) machine.dead = true;
  if (machine.dead) return SQLITE_IOERR_WRITE;
  sqlite3_int64 size = 0;
  real->pMethods->xFileSize(real, &size);
  if (machine.full && at + amount > size) return SQLITE_FULL;
  Disk::Write made{at, "", std::string(static_cast<const char*>(from), amount), size};
  made.before.resize(std::clamp<sqlite3_int64>(size - at, 0, amount));
  if (!made.before.empty()) {
    real->pMethods->xRead(real, made.before.data(), static_cast<int>(made.before.size()), at);
  }
  machine.unsynced[*self.name].push_back(std::move(made));
  return real->pMethods->xWrite(real, from, amount, at);
}

int truncate(sqlite3_file* handle, sqlite3_int64 size) {
  File& self = file(handle);
  if (self.dead()) return SQLITE_IOERR_TRUNCATE;
  return self.real()->pMethods->xTruncate(self.real(), size);
}

int sync(sqlite3_file* handle, int) {
  File& self = file(handle);
  if (self.dead()) return SQLITE_IOERR_FSYNC;
  if (self.machine != nullptr) self.machine->unsynced.erase(*self.name);
  return SQLITE_OK;
}

int file_size(sqlite3_file* handle, sqlite3_int64* size) {
  return file(handle).real()->pMethods->xFileSize(file(handle).real(), size);
}
int lock(sqlite3_file* handle, int level) {
  return file(handle).real()->pMethods->xLock(file(handle).real(), level);
}
int unlock(sqlite3_file* handle, int level) {
  return file(handle).real()->pMethods->xUnlock(file(handle).real(), level);
}
int check_reserved_lock(sqlite3_file* handle, int* reserved) {
  return file(handle).real()->pMethods->xCheckReservedLock(file(handle).real(), reserved);
}
int file_control(sqlite3_file* handle, int what, void* argument) {
  return file(handle).real()->pMethods->xFileControl(file(handle).real(), what, argument);
}
int sector_size(sqlite3_file* handle) {
  return file(handle).real()->pMethods->xSectorSize(file(handle).real());
}
int device_characteristics(sqlite3_file* handle) {
  return file(handle).real()->pMethods->xDeviceCharacteristics(file(handle).real());
}

constexpr sqlite3_io_methods kMethods = {1,
                                         close_file,
                                         read,
                                         write,
                                         truncate,
                                         sync,
                                         file_size,
                                         lock,
                                         unlock,
                                         check_reserved_lock,
                                         file_control,
                                         sector_size,
                                         device_characteristics,
                                         nullptr,
                                         nullptr,
                                         nullptr,
                                         nullptr,
                                         nullptr,
                                         nullptr};

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* handle, int flags, int* out) {
  File& self = file(handle);
  self.base.pMethods = nullptr;
  const int opened = below->xOpen(below, name, self.real(), flags, out);
  if (opened != SQLITE_OK) return opened;
  self.name = new std::string(name == nullptr ? "" : name);
  self.machine = Disk::installed().machine_of(*self.name);
  // Whoever had it open before is gone without a crash, or its crash was dealt with.
  if (self.machine != nullptr) self.machine->unsynced.erase(*self.name);
  self.base.pMethods = &kMethods;
  return SQLITE_OK;
}

/// As it would be with only some of the writes.
void rewrite(const std::string& name, const std::vector<Disk::Write>& writes,
             SeededRandom& random) {
  if (!std::filesystem::exists(name)) return;
  std::string content(std::filesystem::file_size(name), '\0');
  std::ifstream(name, std::ios::binary)
      .read(content.data(), static_cast<std::streamsize>(content.size()));
  for (auto made = writes.rbegin(); made != writes.rend(); ++made) {
    content.resize(static_cast<std::size_t>(made->size_before));
    content.replace(static_cast<std::size_t>(std::min(made->at, made->size_before)),
                    made->before.size(), made->before);
  }
  for (const Disk::Write& made : writes) {
    if (random.chance(0.5)) continue;
    // Of the last one perhaps a part: a sector is whole or not there.
    const std::size_t kept =
        random.chance(0.2) ? made.after.size() / 512 / 2 * 512 : made.after.size();
    const auto at = static_cast<std::size_t>(made.at);
    if (content.size() < at + kept) content.resize(at + kept);
    content.replace(at, kept, made.after, 0, kept);
  }
  std::ofstream(name, std::ios::binary | std::ios::trunc) << content;
}

}  // namespace

Disk& Disk::installed() {
  static Disk disk;
  static sqlite3_vfs vfs = [] {
    below = sqlite3_vfs_find(nullptr);
    if (below == nullptr) throw std::runtime_error("SQLite has no file system");
    sqlite3_vfs made = *below;
    made.zName = "simulated";
    made.szOsFile = static_cast<int>(sizeof(File)) + below->szOsFile;
    made.pNext = nullptr;
    made.xOpen = open_file;
    return made;
  }();
  static const int kRegistered = sqlite3_vfs_register(&vfs, 1);
  if (kRegistered != SQLITE_OK) throw std::runtime_error("SQLite takes no file system");
  return disk;
}

void Disk::add(const std::string& folder) { machines_[folder]; }
void Disk::forget(const std::string& folder) { machines_.erase(folder); }

void Disk::die_at_write(const std::string& folder, int nth) {
  machines_.at(folder).writes_left = nth;
}
bool Disk::is_dead(const std::string& folder) const { return machines_.at(folder).dead; }
void Disk::fill(const std::string& folder, bool full) { machines_.at(folder).full = full; }

void Disk::lose_unsynced(const std::string& folder, SeededRandom& random) {
  for (const auto& [name, writes] : machines_.at(folder).unsynced) rewrite(name, writes, random);
  revive(folder);
}

void Disk::revive(const std::string& folder) {
  Machine& machine = machines_.at(folder);
  machine.unsynced.clear();
  machine.dead = false;
  machine.writes_left = 0;
}

Disk::Machine* Disk::machine_of(const std::string& name) {
  const auto found = machines_.find(std::filesystem::path(name).parent_path());
  return found == machines_.end() ? nullptr : &found->second;
}

}  // namespace sluice::simulation
