// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/staged.h"

#include <algorithm>

#include "checkpoint/packed.h"

namespace sluice {
namespace {

bool read_rows(packed::Reader& in, std::vector<StagedRow>& rows) {
  std::uint16_t count = 0;
  if (!in.read(count)) return false;
  rows.resize(count);
  for (StagedRow& row : rows) {
    if (!in.read(row.table) || !in.read_text(row.tuple)) return false;
  }
  return true;
}

bool read_rejection(packed::Reader& in, StagedRejection& rejection) {
  return in.read_text(rejection.reason) && in.read_text(rejection.field) &&
         in.read_text(rejection.detail);
}

bool read_message(packed::Reader& in, StagedMessage& message) {
  std::uint8_t rejected = 0;
  if (!in.read(message.key.sent_ms) || !in.read(message.key.id) ||
      !in.read(message.receive_count) || !in.read_text(message.sequence) ||
      !in.read_text(message.group) || !in.read_text(message.key_id) ||
      !in.read_text(message.sealed_body) || !in.read(rejected) || rejected > 1) {
    return false;
  }
  message.rejected = rejected == 1;
  return message.rejected ? read_rejection(in, message.rejection) : read_rows(in, message.rows);
}

}  // namespace

std::vector<std::string_view> StagedBatch::pieces() const {
  std::vector<std::string_view> pieces;
  std::size_t start = 0;
  for (const std::size_t cut : cuts_) {
    pieces.push_back(std::string_view(bytes_).substr(start, cut - start));
    start = cut;
  }
  if (start < bytes_.size()) pieces.push_back(std::string_view(bytes_).substr(start));
  return pieces;
}

void StagedBatch::clear() {
  bytes_.clear();
  cuts_.clear();
  messages_ = 0;
  oldest_sent_ms_ = 0;
}

void StagedBatch::add(const StagedMessage& message) {
  pack(message, bytes_);
  if (bytes_.size() - (cuts_.empty() ? 0 : cuts_.back()) >= kPieceBytes) {
    cuts_.push_back(bytes_.size());
  }
  const std::int64_t sent_ms = message.key.sent_ms;
  oldest_sent_ms_ = empty() ? sent_ms : std::min(oldest_sent_ms_, sent_ms);
  ++messages_;
}

void pack(const StagedMessage& message, std::string& out) {
  packed::append(out, message.key.sent_ms);
  out.append(packed::view(message.key.id));
  packed::append(out, message.receive_count);
  for (const std::string_view text :
       {message.sequence, message.group, message.key_id, message.sealed_body}) {
    packed::append_text(out, text);
  }
  packed::append(out, static_cast<std::uint8_t>(message.rejected));
  if (message.rejected) {
    const StagedRejection& rejection = message.rejection;
    for (const std::string_view text : {rejection.reason, rejection.field, rejection.detail}) {
      packed::append_text(out, text);
    }
  } else {
    packed::append(out, packed::length<std::uint16_t>(message.rows.size()));
    for (const StagedRow& row : message.rows) {
      packed::append(out, row.table);
      packed::append_text(out, row.tuple);
    }
  }
}

bool unpack(std::string_view bytes, std::vector<StagedMessage>& out) {
  const std::size_t before = out.size();
  packed::Reader in(bytes);
  while (in.left() > 0) {
    if (!read_message(in, out.emplace_back())) {
      out.resize(before);
      return false;
    }
  }
  return true;
}

}  // namespace sluice
