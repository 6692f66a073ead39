// SPDX-License-Identifier: Apache-2.0
// The records of an archive: its lines, or the elements of the one JSON array that it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "job/archive/archive_file.h"

namespace sluice {

/// A longer record, white space behind it included, is cut to one byte more: its size then tells
/// that it is too large. SQS takes bodies of 1 MiB; inside an envelope each byte may be written
/// with six.
inline constexpr std::size_t kMostRecordBytes = 8 << 20;

class Records {
 public:
  explicit Records(ArchiveFile& file) : file_(file) {}

  /// The next one as it is written, without white space around it; lines with nothing else are
  /// passed over, and so are elements. Good until the next call. None at the end. An array that
  /// ends in the middle, or with anything behind it, is Failure{configuration}, like a file that is
  /// cut short; a line that is no JSON is a record. When the file has NothingYet, nothing is lost.
  std::optional<std::string_view> next();

 private:
  enum class Shape { unknown, marked, lines, array, array_over };  // marked: at its first text
  /// Where in an element it is.
  struct Inside {
    std::int64_t depth = 0;
    bool quoted = false;
    bool escaped = false;
  };

  void pass_mark();
  void begin();
  void pass_cut_record();
  /// False at the end.
  bool pass_white_space();
  std::string_view take();
  /// Position of what ends the record that `text` goes on with.
  std::size_t find_end(std::string_view text);
  std::size_t find_end_of_element(std::string_view text);
  /// More behind what is there; false at the end of the file.
  bool read_on();
  std::string_view rest() const { return std::string_view(room_).substr(at_, end_ - at_); }

  ArchiveFile& file_;
  Shape shape_ = Shape::unknown;
  bool cut_ = false;        // the record given last goes on
  std::size_t looked_ = 0;  // bytes of the next record in which its end is not
  Inside inside_;
  std::string room_;  // what was read and not taken lies from `at_` to `end_`
  std::size_t at_ = 0;
  std::size_t end_ = 0;
};

}  // namespace sluice
