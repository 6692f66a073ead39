// SPDX-License-Identifier: Apache-2.0
#include "job/archive/records.h"

#include <algorithm>
#include <utility>

#include "job/base/failure.h"
#include "job/base/text.h"

namespace sluice {
namespace {

constexpr std::size_t kFirstRoom = 256 << 10;
constexpr std::size_t kMostRoom = kMostRecordBytes + kFirstRoom;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr const char* kEndsEarly = "ends in the middle of its array";
constexpr std::string_view kWhite = " \t\r\n\f\v";  // trim_ascii's

Failure no_array(const ArchiveFile& file, const char* problem) {
  return {Fault::configuration, "input " + file.path() + ": " + problem,
          "write a record a line, or all of them as one JSON array"};
}

std::string_view cut_or_trimmed(std::string_view record) {
  return record.size() > kMostRecordBytes ? record.substr(0, kMostRecordBytes + 1)
                                          : trim_ascii(record);
}

}  // namespace

std::optional<std::string_view> Records::next() {
  if (shape_ == Shape::unknown) pass_mark();
  if (shape_ == Shape::marked) begin();
  pass_cut_record();
  while (pass_white_space()) {
    if (shape_ == Shape::array_over) throw no_array(file_, "text behind its array");
    const std::string_view record = take();
    if (!record.empty()) return record;
  }
  if (shape_ == Shape::array) throw no_array(file_, kEndsEarly);
  return std::nullopt;
}

void Records::pass_mark() {
  while (rest().size() < kByteOrderMark.size() && read_on()) {
  }
  if (rest().starts_with(kByteOrderMark)) at_ += kByteOrderMark.size();
  shape_ = Shape::marked;
}

void Records::begin() {
  const bool is_array = pass_white_space() && rest().front() == '[';
  shape_ = is_array ? Shape::array : Shape::lines;
  if (is_array) ++at_;
}

void Records::pass_cut_record() {
  while (cut_) {
    const std::size_t end = find_end(rest());
    const bool ends = end != std::string_view::npos;
    at_ = ends ? at_ + end + 1 : end_;
    cut_ = !ends && read_on();
  }
}

bool Records::pass_white_space() {
  do {
    const std::size_t white = std::min(rest().find_first_not_of(kWhite), rest().size());
    at_ += white;
  } while (at_ == end_ && read_on());
  return at_ < end_;
}

std::string_view Records::take() {
  do {
    const std::size_t end = find_end(rest().substr(looked_));
    if (end != std::string_view::npos) {
      const std::string_view record = rest().substr(0, std::exchange(looked_, 0) + end);
      at_ += record.size() + 1;
      return cut_or_trimmed(record);
    }
    looked_ = rest().size();
    cut_ = looked_ > kMostRecordBytes;
  } while (!cut_ && read_on());
  if (!cut_ && shape_ == Shape::array) throw no_array(file_, kEndsEarly);
  const std::string_view record = rest().substr(0, std::exchange(looked_, 0));
  at_ = end_;
  return cut_or_trimmed(record);
}

std::size_t Records::find_end(std::string_view text) {
  return shape_ == Shape::array ? find_end_of_element(text) : text.find('\n');
}

std::size_t Records::find_end_of_element(std::string_view text) {
  Inside inside = inside_;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (inside.quoted) {
      inside.quoted = inside.escaped || c != '"';
      inside.escaped = c == '\\' && !inside.escaped;
      continue;
    }
    if (c == '"') inside.quoted = true;
    if (c == '[' || c == '{') ++inside.depth;
    if (c == ',' && inside.depth == 0) break;
    if (c != ']' && c != '}') continue;
    if (--inside.depth >= 0) continue;
    if (c == '}') throw no_array(file_, "a brace too many in its array");
    shape_ = Shape::array_over;
    break;
  }
  inside_ = at < text.size() ? Inside{} : inside;
  return at < text.size() ? at : std::string_view::npos;
}

bool Records::read_on() {
  if (at_ > 0) {
    std::copy(room_.data() + at_, room_.data() + end_, room_.data());
    end_ -= at_;
    at_ = 0;
  }
  if (end_ == room_.size()) room_.resize(std::clamp(2 * room_.size(), kFirstRoom, kMostRoom));
  const std::size_t got = file_.read(room_.data() + end_, room_.size() - end_);
  end_ += got;
  return got > 0;
}

}  // namespace sluice
