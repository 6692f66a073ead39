// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "checkpoint/checkpoint.h"

namespace sluice {
namespace {

/// f_type as in statfs(2). Their locks may hold on one host and not on the next; SQLite warns of
/// all of them (https://www.sqlite.org/howtocorrupt.html, section 2.1). FUSE says nothing about
/// what lies behind it and passes.
constexpr std::array kNetworkFileSystems = {
    0x6969u,      // NFS
    0x517bu,      // SMB
    0xfe534d42u,  // SMB2
    0xff534d42u,  // CIFS
    0x5346414fu,  // AFS
    0x73757245u,  // Coda
    0x564cu,      // NCP
};

}  // namespace

DiskSpace disk_space(const std::string& folder) {
  struct statfs kind;
  struct statvfs room;
  if (statfs(folder.c_str(), &kind) != 0 || statvfs(folder.c_str(), &room) != 0) {
    throw CheckpointError(
        CheckpointError::Kind::unwritable,
        "checkpoint folder " + folder + ": " + std::generic_category().message(errno));
  }
  const auto type = static_cast<unsigned>(kind.f_type);  // signed and sign-extended on some systems
  return {.free_bytes = static_cast<std::uint64_t>(room.f_bavail) * room.f_frsize,
          .network = std::ranges::find(kNetworkFileSystems, type) != kNetworkFileSystems.end()};
}

}  // namespace sluice
