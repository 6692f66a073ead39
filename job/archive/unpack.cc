// SPDX-License-Identifier: Apache-2.0
#include "job/archive/unpack.h"

#include <algorithm>
#include <limits>
#include <new>

#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "job/base/failure.h"

namespace sluice {
namespace {

uInt zlib_size(std::size_t size) {
  return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
}

void end(z_stream* stream) {
  inflateEnd(stream);
  delete stream;
}

}  // namespace

GzipStream::GzipStream() : stream_(new z_stream{}, end) {
  constexpr int kGzipOnly = 16;  // added to the window's bits: zlib.h, inflateInit2
  if (inflateInit2(stream_.get(), kGzipOnly + MAX_WBITS) != Z_OK) throw std::bad_alloc();
}

Unpacked GzipStream::unpack(std::string_view& packed, char* to, std::size_t size) {
  if (may_end_) {
    if (packed.empty()) return {};
    require(inflateReset(stream_.get()) == Z_OK, "zlib could not start again");
    may_end_ = false;
  }
  const uInt offered = zlib_size(packed.size());
  const uInt room = zlib_size(size);
  stream_->next_in = reinterpret_cast<const Bytef*>(packed.data());
  stream_->avail_in = offered;
  stream_->next_out = reinterpret_cast<Bytef*>(to);
  stream_->avail_out = room;
  const int result = inflate(stream_.get(), Z_NO_FLUSH);
  packed.remove_prefix(offered - stream_->avail_in);
  if (result == Z_MEM_ERROR) throw std::bad_alloc();
  may_end_ = result == Z_STREAM_END;
  // Z_BUF_ERROR: it needs more.
  const bool sound = result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR;
  return {room - stream_->avail_out, sound ? nullptr : "its gzip is damaged"};
}

ZstdStream::ZstdStream() : stream_(ZSTD_createDCtx(), ZSTD_freeDCtx) {
  if (stream_ == nullptr) throw std::bad_alloc();
  require(
      !ZSTD_isError(ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kMostWindowBits)),
      "zstd refused a limit");
}

Unpacked ZstdStream::unpack(std::string_view& packed, char* to, std::size_t size) {
  if (may_end_ && packed.empty()) return {};
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  ZSTD_outBuffer out{to, size, 0};
  const std::size_t result = ZSTD_decompressStream(stream_.get(), &out, &in);
  packed.remove_prefix(in.pos);
  may_end_ = result == 0;  // else it says how much it would like
  if (!ZSTD_isError(result)) return {out.pos};
  switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_memory_allocation:
      throw std::bad_alloc();
    case ZSTD_error_frameParameter_windowTooLarge:
      return {out.pos, "its zstd needs more than 128 MiB to be unpacked"};
    default:
      return {out.pos, "its zstd is damaged"};
  }
}

}  // namespace sluice
