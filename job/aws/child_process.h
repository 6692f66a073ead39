// SPDX-License-Identifier: Apache-2.0
// Another program, run to its end without a shell, for what it prints.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

namespace sluice {

struct ChildLimits {
  std::size_t most_bytes;  // of standard output, and of standard error, whose rest is dropped
  std::int64_t timeout_ms;
};

struct ChildEnd {
  enum class How { exited, not_started, too_late, too_much };
  How how = How::exited;
  int code = 0;  // exit status, 128 + signal, or the errno of not_started
  std::string out;
  std::string err;
};

/// Found by PATH, with our environment, no input and none of our files. At a limit it and its group
/// are killed; a stop that is asked for does the same and throws.
ChildEnd run_child(std::vector<std::string> words, const ChildLimits& limits,
                   const std::stop_token& stop);

}  // namespace sluice
