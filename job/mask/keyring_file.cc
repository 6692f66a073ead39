// SPDX-License-Identifier: Apache-2.0
// Who else can reach the file of the keys.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "job/base/failure.h"
#include "job/mask/keyring.h"

namespace sluice {
namespace {

constexpr std::size_t kMostBytes = 262'144;  // a thousand keys

Failure refused(const std::string& path, const std::string& problem, const std::string& hint) {
  return {Fault::configuration, "keyring " + path + ": " + problem, hint};
}

Failure unreadable(const std::string& path, int error) {
  return refused(path, std::string("cannot read: ") + std::strerror(error),
                 error == ENOENT ? "make one with `sluice keygen`, or name it with --keyring"
                                 : "check the path and its rights");
}

bool lies_in_memory(int fd) {
  struct statfs system {};
  if (::fstatfs(fd, &system) != 0) return false;
  return system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC;
}

/// Of the file that is open, not of the path: that could name another one by now.
void check_rights(int fd, const std::string& path) {
  struct stat file {};
  if (::fstat(fd, &file) != 0) throw unreadable(path, errno);
  if (!S_ISREG(file.st_mode)) throw refused(path, "is no regular file", "name the file itself");
  if ((file.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    throw refused(path, "others can write it", "chmod 600 it, and check that the keys are yours");
  }
  // Its owner can write it, whatever the mode. Root may read for a service that has its own user.
  const uid_t us = ::geteuid();
  if (file.st_uid != us && file.st_uid != 0 && us != 0) {
    throw refused(path, "belongs to another user, who can write it",
                  "chown it to the user of this run");
  }
  if ((file.st_mode & (S_IRGRP | S_IROTH)) != 0 && !lies_in_memory(fd)) {
    throw refused(path, "others can read it",
                  "chmod 600 it; if it was open for long, rotate the key");
  }
}

}  // namespace

Keyring Keyring::read(const std::string& path) {
  // O_NONBLOCK: a FIFO without a writer must not hold up the start.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) throw unreadable(path, errno);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(::fdopen(fd, "rb"), &std::fclose);
  require(file != nullptr, "no memory for a file");
  check_rights(fd, path);
  std::setvbuf(file.get(), nullptr, _IONBF, 0);  // a buffer would keep the keys
  std::string content(kMostBytes + 1, '\0');
  const std::size_t size = std::fread(content.data(), 1, content.size(), file.get());
  const Secret held(std::move(content));
  if (std::ferror(file.get()) != 0) throw unreadable(path, errno);
  if (size > kMostBytes) throw refused(path, "too large", "check that it is the right file");
  return parse(held.reveal().substr(0, size), path);
}

}  // namespace sluice
