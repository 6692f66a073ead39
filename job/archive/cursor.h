// SPDX-License-Identifier: Apache-2.0
// How far a backfill has come, in a small file beside its checkpoint. It only saves work: a
// backfill that begins at the start loads nothing twice, because the ledger knows what was loaded.
#pragma once

#include <cstdint>
#include <string>

#include "job/archive/position.h"

namespace sluice {

class Cursor {
 public:
  /// `inputs` is what is read and how, as text: the file counts only for the very same. A file that
  /// is missing, damaged or of other inputs is the start. Empty `inputs` cannot be read twice: then
  /// nothing is written.
  Cursor(std::string path, const std::string& inputs);

  /// Where to begin: every record before it was loaded by an earlier run.
  ArchivePosition start() const { return start_; }
  /// Tells these inputs from others; hexadecimal digits.
  const std::string& tag() const { return tag_; }

  /// Every record before `position` is loaded. Written once a second at most: what is not written
  /// is read again. A file that cannot be written is told once, as a warning.
  void move_to(ArchivePosition position, std::int64_t steady_ms);
  /// Writes where it stands.
  void flush();
  /// Everything is loaded: the next run begins at the start, and the ledger decides. Else a
  /// database that was restored from a backup would never get its rows again.
  void remove();

 private:
  std::string path_;
  std::string inputs_;  // their digest; empty when they cannot be read twice
  std::string tag_;
  ArchivePosition start_;
  ArchivePosition position_;
  ArchivePosition written_;
  std::int64_t written_ms_ = 0;
  bool told_ = false;
};

}  // namespace sluice
