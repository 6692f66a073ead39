// SPDX-License-Identifier: Apache-2.0
#include "job/base/file.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job/base/failure.h"

namespace sluice {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

Failure cannot(std::string_view verb, std::string_view what, const std::string& path, int error) {
  return {Fault::configuration,
          std::string(what) + " " + path + ": cannot " + std::string(verb) + ": " +
              std::strerror(error),
          error == ENOENT ? "check the path" : "check the path and its rights"};
}

/// Makes `path`, which must not exist, with all of `content` on the disk. 0, or an errno.
int write_new(const std::string& path, std::string_view content, mode_t mode) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (file.get() < 0) return errno;
  while (!content.empty()) {
    const ssize_t wrote = ::write(file.get(), content.data(), content.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return errno;
    content.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return ::fsync(file.get()) == 0 ? 0 : errno;
}

std::string beside(const std::string& path) {
  return path + "." + std::to_string(::getpid()) + ".tmp";
}

}  // namespace

std::string read_file(const std::string& path, std::size_t most, std::string_view what) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) throw cannot("read", what, path, errno);
  std::string content;
  char buffer[65536];
  while (true) {
    const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw cannot("read", what, path, errno);
    if (got == 0) return content;
    content.append(buffer, static_cast<std::size_t>(got));
    if (content.size() > most) {
      throw Failure(
          Fault::configuration,
          std::string(what) + " " + path + ": larger than " + std::to_string(most) + " bytes",
          "check that it is the right file");
    }
  }
}

void write_file(const std::string& path, std::string_view content, std::string_view what,
                Mode mode) {
  const std::string temporary = beside(path);
  int error = write_new(temporary, content, mode == Mode::secret ? 0600 : 0644);
  if (error == 0 && mode == Mode::shared && ::chmod(temporary.c_str(), 0644) != 0) error = errno;
  if (error == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    throw cannot("write", what, path, error);
  }
}

void create_file(const std::string& path, std::string_view content, std::string_view what) {
  const std::string temporary = beside(path);
  int error = write_new(temporary, content, 0600);
  // link, unlike rename, refuses to replace.
  if (error == 0 && ::link(temporary.c_str(), path.c_str()) != 0) error = errno;
  ::unlink(temporary.c_str());
  if (error == EEXIST) {
    throw Failure(Fault::configuration, std::string(what) + " " + path + ": is there already",
                  "name another file; nothing is overwritten");
  }
  if (error != 0) throw cannot("create", what, path, error);
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace sluice
