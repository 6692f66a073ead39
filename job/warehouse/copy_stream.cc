// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/copy_stream.h"

#include "job/base/encoding.h"

namespace sluice {
namespace {

constexpr std::size_t kChunk = 65'536;  // measured: 4 KiB and 1 MiB are slower

}  // namespace

CopyStream::CopyStream(Connection& connection, const std::string& into, std::string doing)
    : connection_(connection), doing_(std::move(doing)) {
  connection_.begin_copy("COPY " + into + " FROM STDIN (FORMAT binary)", doing_);
  chunk_.reserve(kChunk + 4096);
  chunk_.append("PGCOPY\n\377\r\n\0", 11);
  append_big_endian<4>(chunk_, 0);  // no flags
  append_big_endian<4>(chunk_, 0);  // no header extension
}

std::string& CopyStream::begin_tuple() {
  if (chunk_.size() >= kChunk) put();
  ++tuples_;
  return chunk_;
}

std::uint64_t CopyStream::finish() {
  append_big_endian<2>(chunk_, -1);  // the trailer
  put();
  const std::uint64_t taken = connection_.end_copy(doing_);
  if (taken != tuples_) {
    throw lost(doing_, "the server took " + std::to_string(taken) + " of " +
                           std::to_string(tuples_) + " rows");
  }
  return tuples_;
}

void CopyStream::put() {
  stopped_ = stopped_ || !connection_.put_copy(chunk_, doing_);
  chunk_.clear();
}

}  // namespace sluice
