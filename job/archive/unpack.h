// SPDX-License-Identifier: Apache-2.0
// gzip and zstd, unpacked piece by piece in fixed memory.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

struct z_stream_s;
struct ZSTD_DCtx_s;

namespace sluice {

struct Unpacked {
  std::size_t bytes = 0;
  const char* fault = nullptr;  // what is wrong with all that follows, or null
};

/// Members of RFC 1952, one behind the other and nothing else.
class GzipStream {
 public:
  GzipStream();
  /// Takes from the front of `packed`, writes up to `size` bytes. Neither, when it needs more.
  Unpacked unpack(std::string_view& packed, char* to, std::size_t size);
  /// Whether a file may end where it is.
  bool may_end() const { return may_end_; }

 private:
  std::unique_ptr<z_stream_s, void (*)(z_stream_s*)> stream_;
  bool may_end_ = true;
};

/// Frames of RFC 8878, skippable ones among them.
class ZstdStream {
 public:
  /// A frame says how much of what it holds must be kept to go on: more is not kept for any.
  static constexpr int kMostWindowBits = 27;  // 128 MiB

  ZstdStream();
  Unpacked unpack(std::string_view& packed, char* to, std::size_t size);
  bool may_end() const { return may_end_; }

 private:
  std::unique_ptr<ZSTD_DCtx_s, std::size_t (*)(ZSTD_DCtx_s*)> stream_;
  bool may_end_ = true;
};

}  // namespace sluice
