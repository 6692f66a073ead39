// SPDX-License-Identifier: Apache-2.0
#include "job/base/output.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>

#include <poll.h>
#include <unistd.h>

#include "job/base/clock.h"

namespace sluice {
namespace {

constexpr std::int64_t kMomentMs = 300;
constexpr std::int64_t kLookMs = 100;  // how often a wait sees that it has become shorter

constexpr std::int64_t kPatient = -1;
std::atomic<std::int64_t> impatient_since_ms = kPatient;

/// True as well when the reader is gone: the write says so.
bool is_ready(int descriptor, std::int64_t patience_ms) {
  const std::int64_t begin = now().steady_ms;
  while (true) {
    const std::int64_t most = patience_lost_ms() ? std::min(kMomentMs, patience_ms) : patience_ms;
    const std::int64_t left = std::max<std::int64_t>(0, most - (now().steady_ms - begin));
    pollfd output{descriptor, POLLOUT, 0};
    const int ready = ::poll(&output, 1, static_cast<int>(std::min(left, kLookMs)));
    if (ready > 0 || (ready < 0 && errno != EINTR)) return true;
    if (left == 0) return false;
  }
}

}  // namespace

bool write_out(int descriptor, std::string_view text, std::int64_t patience_ms) {
  while (!text.empty()) {
    if (!is_ready(descriptor, patience_ms)) return false;
    // So much a pipe that is ready takes at once: pipe(7).
    const ssize_t wrote = ::write(descriptor, text.data(), std::min<size_t>(text.size(), PIPE_BUF));
    if (wrote < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (wrote <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

void lose_patience() {
  std::int64_t patient = kPatient;
  impatient_since_ms.compare_exchange_strong(patient, now().steady_ms);
}

std::optional<std::int64_t> patience_lost_ms() {
  const std::int64_t since_ms = impatient_since_ms;
  return since_ms == kPatient ? std::nullopt : std::optional(since_ms);
}

}  // namespace sluice
