// SPDX-License-Identifier: Apache-2.0
// Where rejections go beside their table, when the pipeline says so.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

/// A rejected message as it came, and why. Clear text: it lives in memory only.
struct DeadLetter {
  std::string message_id;  // UUID; repeats when a letter is sent again
  std::string body;
  std::int64_t sent_ms = 0;
  std::string reason;    // "missing-field"
  std::string field;     // may be empty, like the next two
  std::string detail;    // never holds a value
  std::string sqlstate;  // of what Postgres refused
};

class DeadLetters {
 public:
  virtual ~DeadLetters() = default;

  /// Sends them, with all the retries they deserve; by position, whether the queue has taken the
  /// letter. Throws Failure when nothing more can be sent: temporary, rights or configuration.
  virtual std::vector<bool> send(const std::vector<DeadLetter>& letters) = 0;
  /// Ends a `send` that waits, soon, with what it has; later ones send nothing. From any thread.
  virtual void interrupt() = 0;
};

}  // namespace sluice
