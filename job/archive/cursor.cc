// SPDX-License-Identifier: Apache-2.0
#include "job/archive/cursor.h"

#include <filesystem>
#include <utility>
#include <vector>

#include "checkpoint/digest.h"
#include "job/base/encoding.h"
#include "job/base/failure.h"
#include "job/base/file.h"
#include "job/base/log.h"
#include "job/base/random.h"
#include "job/base/text.h"

namespace sluice {
namespace {

constexpr std::int64_t kWriteEveryMs = 1'000;
constexpr std::size_t kLargest = 1024;
// 64 bits: two lists of inputs with the same tag would take each other's records for loaded.
constexpr std::size_t kTagSize = 16;
constexpr const char* kWhat = "backfill cursor";
constexpr std::string_view kFormat = "sluice-cursor-1";

std::string hex_digest(const std::string& text) {
  const Digest digest = sha256(text);
  return to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

/// "sluice-cursor-1 INPUTS FILE RECORD\n"
std::string to_text(const std::string& inputs, ArchivePosition position) {
  return std::string(kFormat) + " " + inputs + " " + std::to_string(position.file) + " " +
         std::to_string(position.record) + "\n";
}

ArchivePosition from_text(std::string_view text, const std::string& inputs) {
  const auto words = split(trim_ascii(text), ' ');
  if (words.size() != 4 || words[0] != kFormat || words[1] != inputs) return {};
  const auto file = parse_integer<std::uint64_t>(words[2]);
  const auto record = parse_integer<std::uint64_t>(words[3]);
  if (!file || !record) return {};
  return {*file, *record};
}

}  // namespace

Cursor::Cursor(std::string path, const std::string& inputs)
    : path_(std::move(path)),
      inputs_(inputs.empty() ? "" : hex_digest(inputs)),
      tag_((inputs.empty() ? hex_digest(random_uuid()) : inputs_).substr(0, kTagSize)) {
  if (inputs_.empty()) return;
  try {
    start_ = from_text(read_file(path_, kLargest, kWhat), inputs_);
  } catch (const Failure&) {
    // Most often it is not there. Whatever it is: from the start.
  }
  position_ = written_ = start_;
}

void Cursor::move_to(ArchivePosition position, std::int64_t steady_ms) {
  position_ = position;
  if (steady_ms - written_ms_ < kWriteEveryMs) return;
  written_ms_ = steady_ms;
  flush();
}

void Cursor::flush() {
  if (inputs_.empty() || position_ == written_) return;
  try {
    write_file(path_, to_text(inputs_, position_), kWhat);
    written_ = position_;
  } catch (const Failure& failure) {
    if (!std::exchange(told_, true)) {
      log().write_with_hint(Level::warning, "cursor-not-written", failure.message(),
                            "nothing is lost: the next run reads again what this one loaded");
    }
  }
}

void Cursor::remove() {
  if (inputs_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
  position_ = written_ = start_ = {};
}

}  // namespace sluice
