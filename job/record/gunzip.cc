// SPDX-License-Identifier: Apache-2.0
#include "job/record/gunzip.h"

#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#include "job/base/failure.h"
#include "job/base/secret.h"

namespace sluice {
namespace {

/// Before each block that zlib gets stands the block's size.
constexpr std::size_t kHead = alignof(std::max_align_t);

void* allocate(void*, uInt items, uInt size) {
  const std::size_t whole = kHead + std::size_t{items} * size;
  auto* const block = static_cast<char*>(std::malloc(whole));
  if (block == nullptr) return nullptr;
  std::memcpy(block, &whole, sizeof whole);
  return block + kHead;
}

/// zlib keeps a window of the text when it could not end in one step: it is wiped like the text.
void release(void*, void* memory) {
  char* const block = static_cast<char*>(memory) - kHead;
  std::size_t whole = 0;
  std::memcpy(&whole, block, sizeof whole);
  explicit_bzero(block, whole);
  std::free(block);
}

void end(z_stream* stream) {
  inflateEnd(stream);
  delete stream;
}

}  // namespace

Gunzip::Gunzip(std::size_t most) : text_(most + 1, '\0'), stream_(new z_stream{}, end) {
  stream_->zalloc = allocate;
  stream_->zfree = release;
  constexpr int kGzipOnly = 16;  // added to the window's bits: zlib.h, inflateInit2
  if (inflateInit2(stream_.get(), kGzipOnly + MAX_WBITS) != Z_OK) throw std::bad_alloc();
}

Gunzip::~Gunzip() { wipe(text_); }

std::optional<std::string_view> Gunzip::inflate(std::string_view gzip) {
  require(gzip.size() <= std::numeric_limits<uInt>::max(), "more gzip than a message can hold");
  stream_->next_in = reinterpret_cast<const Bytef*>(gzip.data());
  stream_->avail_in = static_cast<uInt>(gzip.size());
  stream_->next_out = reinterpret_cast<Bytef*>(text_.data());
  stream_->avail_out = static_cast<uInt>(text_.size());
  do {
    require(inflateReset(stream_.get()) == Z_OK, "zlib could not start again");
    const int result = ::inflate(stream_.get(), Z_FINISH);
    if (stream_->avail_out == 0) break;
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    if (result != Z_STREAM_END) return std::nullopt;
  } while (stream_->avail_in > 0);
  return std::string_view(text_).substr(0, text_.size() - stream_->avail_out);
}

}  // namespace sluice
