// SPDX-License-Identifier: Apache-2.0
// A named pipe whose reader is ahead of its writer.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job/archive/archive_file.h"

namespace sluice {

class EmptyPipe {
 public:
  /// Makes it at `path`; whoever reads is there before it is written to, `piece` bytes at a time.
  EmptyPipe(std::string path, std::string_view bytes, std::size_t piece)
      : path_(std::move(path)), bytes_(bytes), piece_(piece) {
    if (::mkfifo(path_.c_str(), 0600) != 0) throw std::runtime_error("no pipe");
  }
  ~EmptyPipe() {
    end();
    ::unlink(path_.c_str());
  }
  EmptyPipe(const EmptyPipe&) = delete;
  EmptyPipe& operator=(const EmptyPipe&) = delete;

  const std::string& path() const { return path_; }

  /// The next piece.
  void give() {
    if (writer_ < 0) writer_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK);
    const std::string_view piece = bytes_.substr(0, piece_);
    if (::write(writer_, piece.data(), piece.size()) != static_cast<ssize_t>(piece.size())) {
      throw std::runtime_error("the pipe takes nothing");
    }
    bytes_.remove_prefix(piece.size());
  }
  /// Nothing more comes.
  void end() {
    if (writer_ >= 0) ::close(writer_);
    writer_ = -1;
  }

  /// What `read` returns once there is enough to read.
  template <typename Read>
  auto go_on(Read read) {
    while (true) {
      try {
        return read();
      } catch (const NothingYet&) {
        give();
        if (bytes_.empty()) end();
      }
    }
  }

 private:
  std::string path_;
  std::string_view bytes_;
  std::size_t piece_;
  int writer_ = -1;
};

}  // namespace sluice
