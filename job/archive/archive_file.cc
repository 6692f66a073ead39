// SPDX-License-Identifier: Apache-2.0
#include "job/archive/archive_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job/archive/unpack.h"
#include "job/base/failure.h"

namespace sluice {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kPiece = 256 << 10;
/// As many as tell the formats apart.
constexpr std::size_t kHead = 6;

/// Not read: told at once, rather than by a rejection for each of their "lines".
constexpr std::array<std::pair<std::string_view, const char*>, 8> kOthers = {{
    {"BZh"sv, "bzip2"},
    {"\xfd"
     "7zXZ\0"sv,
     "xz"},
    {"PK\3\4"sv, "zip"},
    {"\x04\x22\x4d\x18"sv, "lz4"},
    {"PAR1"sv, "Parquet"},
    {"Obj\1"sv, "Avro"},
    {"\xff\xfe"sv, "UTF-16"},
    {"\xfe\xff"sv, "UTF-16"},
}};

bool is_zstd(std::string_view head) {
  const bool skippable =
      head.size() >= 4 && (head[0] & 0xf0) == 0x50 && head.substr(1, 3) == "\x2a\x4d\x18"sv;
  return skippable || head.starts_with("\x28\xb5\x2f\xfd"sv);
}

}  // namespace

class ArchiveFile::Impl {
 public:
  Impl(const std::string& path, OnEmptyPipe on_empty_pipe)
      : path_(path), waits_(on_empty_pipe == OnEmptyPipe::wait), piece_(kPiece) {
    // Without waiting for somebody to open the other end of a pipe, either.
    const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | (waits_ ? 0 : O_NONBLOCK);
    file_ = path == "-" ? STDIN_FILENO : ::open(path.c_str(), flags);
    if (file_ < 0 || ::fstat(file_, &facts_) != 0) throw cannot_read(errno);
    if (S_ISDIR(facts_.st_mode)) {
      close_file();
      throw Failure(Fault::configuration, subject() + "is a folder", "name the files in it");
    }
    // What stands behind a position, as in `{ read; sluice; } < file`, is not the file.
    is_whole_ = S_ISREG(facts_.st_mode) && ::lseek(file_, 0, SEEK_CUR) == 0;
  }
  ~Impl() { close_file(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  const std::string& path() const { return path_; }
  int descriptor() const { return file_; }

  std::size_t read(char* to, std::size_t size) {
    if (!is_begun_) begin();
    return std::holds_alternative<Plain>(packing_) ? read_plain(to, size) : unpack(to, size);
  }

  std::uint64_t bytes_read() const { return taken_ - rest_.size(); }

  std::optional<std::uint64_t> size() const {
    if (!is_whole_) return std::nullopt;
    return static_cast<std::uint64_t>(facts_.st_size);
  }

  std::string identity() const {
    if (!is_whole_) return "";
    std::string identity;
    for (const auto part :
         {static_cast<std::int64_t>(facts_.st_dev), static_cast<std::int64_t>(facts_.st_ino),
          static_cast<std::int64_t>(facts_.st_size),
          static_cast<std::int64_t>(facts_.st_mtim.tv_sec),
          static_cast<std::int64_t>(facts_.st_mtim.tv_nsec)}) {
      identity += (identity.empty() ? "" : "-") + std::to_string(part);
    }
    return identity;
  }

 private:
  struct Plain {};

  std::string subject() const { return "input " + path_ + ": "; }
  Failure cannot_read(int error) const {
    return {Fault::configuration, subject() + "cannot read it: " + std::strerror(error),
            error == ENOENT ? "check the path" : "check the path and its rights"};
  }

  void close_file() const {
    if (file_ > STDIN_FILENO) ::close(file_);
  }

  /// What the first bytes say.
  void begin() {
    while (rest_.size() < kHead) {
      const std::size_t got = read_file(piece_.data() + rest_.size(), kPiece - rest_.size());
      if (got == 0) break;
      rest_ = {piece_.data(), rest_.size() + got};
    }
    for (const auto& [magic, name] : kOthers) {
      if (!rest_.starts_with(magic)) continue;
      throw Failure(Fault::configuration, subject() + "is " + name + ", which is not read",
                    "make JSON text of it, plain, gzip or zstd; a pipe into --input - does");
    }
    if (rest_.starts_with("\x1f\x8b"sv)) packing_.emplace<GzipStream>();
    if (is_zstd(rest_)) packing_.emplace<ZstdStream>();
    is_begun_ = true;
  }

  std::size_t read_plain(char* to, std::size_t size) {
    if (rest_.empty()) return read_file(to, size);
    const std::size_t copied = rest_.copy(to, size);
    rest_.remove_prefix(copied);
    return copied;
  }

  std::size_t unpack(char* to, std::size_t size) {
    while (true) {
      const Unpacked got = step(to, size);
      // A fault is met again by the next call: what came before it stands.
      if (got.bytes > 0) return got.bytes;
      if (got.fault != nullptr) throw spoilt(got.fault);
      if (!rest_.empty()) continue;
      rest_ = {piece_.data(), read_file(piece_.data(), kPiece)};
      if (!rest_.empty()) continue;
      if (!may_end()) throw spoilt("ends in the middle of what is packed");
      return 0;
    }
  }

  Unpacked step(char* to, std::size_t size) {
    if (fault_ != nullptr) return {0, fault_};
    Unpacked got;
    if (auto* gzip = std::get_if<GzipStream>(&packing_)) got = gzip->unpack(rest_, to, size);
    if (auto* zstd = std::get_if<ZstdStream>(&packing_)) got = zstd->unpack(rest_, to, size);
    fault_ = got.fault;
    return got;
  }

  bool may_end() const {
    const auto* const gzip = std::get_if<GzipStream>(&packing_);
    return gzip != nullptr ? gzip->may_end() : std::get<ZstdStream>(packing_).may_end();
  }

  Failure spoilt(const char* fault) const {
    return {Fault::configuration, subject() + fault,
            "get it whole again, or unpack by hand what can be had of it"};
  }

  /// 0 at the end.
  std::size_t read_file(char* to, std::size_t size) {
    if (!waits_ && !S_ISREG(facts_.st_mode)) {
      pollfd pipe{file_, POLLIN, 0};
      if (::poll(&pipe, 1, 0) == 0) throw NothingYet();
    }
    ssize_t got = 0;
    do {
      got = ::read(file_, to, size);
    } while (got < 0 && errno == EINTR);
    if (got < 0) throw cannot_read(errno);
    taken_ += static_cast<std::size_t>(got);
    return static_cast<std::size_t>(got);
  }

  std::string path_;
  bool waits_;
  int file_ = -1;
  struct stat facts_ {};
  bool is_whole_ = false;
  bool is_begun_ = false;
  std::vector<char> piece_;
  std::string_view rest_;    // of `piece_`: taken from the file and not looked at
  std::uint64_t taken_ = 0;  // from the file
  std::variant<Plain, GzipStream, ZstdStream> packing_;
  const char* fault_ = nullptr;
};

ArchiveFile::ArchiveFile(const std::string& path, OnEmptyPipe on_empty_pipe)
    : impl_(std::make_unique<Impl>(path, on_empty_pipe)) {}

ArchiveFile::~ArchiveFile() = default;

const std::string& ArchiveFile::path() const { return impl_->path(); }

int ArchiveFile::descriptor() const { return impl_->descriptor(); }

std::size_t ArchiveFile::read(char* to, std::size_t size) { return impl_->read(to, size); }

std::uint64_t ArchiveFile::bytes_read() const { return impl_->bytes_read(); }

std::optional<std::uint64_t> ArchiveFile::size() const { return impl_->size(); }

std::string ArchiveFile::identity() const { return impl_->identity(); }

}  // namespace sluice
