// SPDX-License-Identifier: Apache-2.0
// Files that somebody archived: packed or not, lines or an array.
#include <algorithm>
#include <vector>

#include "job/archive/records.h"
#include "job/record/decode.h"
#include "tests/fuzz/properties.h"
#include "tests/fuzz/targets.h"
#include "tests/fuzz/temporary_folder.h"
#include "tests/support/empty_pipe.h"
#include "tests/support/packing.h"

namespace sluice::fuzz {
namespace {

/// What an archive holds, up to what is wrong with it.
struct Held {
  std::vector<std::string> records;
  std::string fault;
  bool operator==(const Held&) const = default;
};

const TemporaryFolder& folder() {
  static const TemporaryFolder made;
  return made;
}

std::string written(std::string_view content) { return folder().write("archive", content); }

constexpr std::string_view kWindowTooLarge = "its zstd needs more than 128 MiB to be unpacked";

/// Without the file's name.
std::string problem(const std::string& message) { return message.substr(message.rfind(": ") + 2); }

/// `next` calls `records.next()`.
template <typename Next>
Held held_by(ArchiveFile& file, std::size_t size, Next next) {
  Held held;
  const auto read = [&] {
    Records records(file);
    while (const auto record = next(records)) {
      must_hold(!record->empty(), "a record is something");
      must_hold(record->size() <= kMostRecordBytes + 1, "and is bounded");
      held.records.emplace_back(*record);
    }
    must_hold(!next(records), "the end stays the end");
    must_hold(file.bytes_read() == size, "all of it was read");
    return true;
  };
  if (!unless_refused(read, Fault::configuration, &held.fault)) held.fault = problem(held.fault);
  return held;
}

Held held_in(std::string_view content) {
  ArchiveFile file(written(content));
  return held_by(file, content.size(), [](Records& records) { return records.next(); });
}

/// The same, but it comes bit by bit.
Held held_in_pipe(std::string_view content) {
  EmptyPipe pipe(folder().path("pipe"), content, 1 + content.size() / 16);
  ArchiveFile file(pipe.path(), OnEmptyPipe::throw_nothing_yet);
  return held_by(file, content.size(), [&pipe](Records& records) {
    return pipe.go_on([&records] { return records.next(); });
  });
}

/// The bytes of the file, unpacked and read in pieces of `piece`.
Held unpacked(std::string_view content, std::size_t piece) {
  Held held{{""}, ""};
  const auto read = [&] {
    ArchiveFile file(written(content));
    std::string room(piece, '\0');
    while (const std::size_t got = file.read(room.data(), room.size())) {
      held.records[0].append(room, 0, got);
      if (held.records[0].size() > 1 << 20) break;  // a few bytes may be gigabytes packed
    }
    return true;
  };
  if (!unless_refused(read, Fault::configuration, &held.fault)) held.fault = problem(held.fault);
  held.records[0].resize(std::min<std::size_t>(held.records[0].size(), 1 << 20));
  return held;
}

bool is_object(std::string_view record) { return !Body().decode(record).has_value(); }

void check_written_again(const Held& held) {
  if (!std::ranges::all_of(held.records, is_object)) return;
  std::string array = "[";
  std::string lines;
  Held in_lines;
  for (std::string record : held.records) {
    array += (array.size() > 1 ? "," : "") + record;
    // They stand between values only, where any white space means the same.
    std::ranges::replace(record, '\n', ' ');
    std::ranges::replace(record, '\r', ' ');
    lines += record + "\r\n";
    in_lines.records.push_back(std::move(record));
  }
  must_hold(held_in(array + "]") == held, "as elements of an array they are the same");
  must_hold(held_in(lines) == in_lines, "and as lines");
}

}  // namespace

void records(std::string_view input) {
  const Held whole = unpacked(input, 1 << 16);
  const Held slow = unpacked(input, 1);
  // Where a frame fits into the room as a whole, libzstd needs no window, and does not ask how
  // large it would be (ZSTD_decompressStream, "single-pass").
  if (slow.fault == kWindowTooLarge) return;
  must_hold(slow.fault == whole.fault, "what is wrong is the same in pieces of any size");
  // zstd keeps back what it unpacked in the call that met the damage.
  must_hold(whole.fault.empty() ? slow.records == whole.records
                                : slow.records[0].starts_with(whole.records[0]),
            "and so are the bytes");
  if (whole.records[0].size() >= 1 << 20) return;
  const Held held = held_in(input);
  must_hold(whole.fault.empty() || !held.fault.empty(), "what is wrong with its bytes is told");
  must_hold(!repeats(held.fault, input), "and nothing of what it holds");
  if (!whole.fault.empty()) return;
  must_hold(held_in_pipe(input) == held, "a pipe that is empty now and then holds the same");
  // What was packed is read as if it had not been, if it is not packed twice.
  for (const std::string& packed : {gzip(whole.records[0]), zstd(whole.records[0])}) {
    must_hold(held_in(packed) == held, "packed it holds the same");
  }
  if (held.fault.empty()) check_written_again(held);
}

}  // namespace sluice::fuzz
