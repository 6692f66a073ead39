// SPDX-License-Identifier: Apache-2.0
#include "job/pipeline/progress.h"

#include <algorithm>
#include <string>

#include "job/base/log.h"

namespace sluice {
namespace {

constexpr std::int64_t kLiveMs = 200;
constexpr std::int64_t kLogMs = 10'000;

std::string clock_time(std::int64_t seconds) {
  const auto two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  return std::to_string(seconds / 3600) + ":" + two(seconds / 60 % 60) + ":" + two(seconds % 60);
}

}  // namespace

void Progress::look(const Drain& drain, Now now) {
  const bool live = log().on_terminal() && log().format() == LogFormat::text;
  if (now.steady_ms - told_ms_ < (live ? kLiveMs : kLogMs)) return;
  told_ms_ = now.steady_ms;
  const Books& books = drain.books();
  const double elapsed_s = static_cast<double>(now.steady_ms - start_.steady_ms) / 1000.0;
  const auto rate = static_cast<std::int64_t>(static_cast<double>(books.received) / elapsed_s);
  const std::int64_t left = drain.counts() ? drain.counts()->visible : -1;
  if (live) {
    std::string line = "received " + std::to_string(books.received) + "  loaded " +
                       std::to_string(books.loaded) + "  rejected " +
                       std::to_string(books.rejected) + "  " + std::to_string(rate) + "/s";
    if (left >= 0) line += "  left " + std::to_string(left);
    if (left > 0 && rate > 0) line += "  to go " + clock_time(left / rate);
    log().live(line);
    return;
  }
  log().write(Level::info, "progress", "draining",
              {{"received", static_cast<std::int64_t>(books.received)},
               {"loaded", static_cast<std::int64_t>(books.loaded)},
               {"rejected", static_cast<std::int64_t>(books.rejected)},
               {"deleted", static_cast<std::int64_t>(books.deleted)},
               {"per_second", rate},
               {"left_in_queue", left}});
}

void Progress::end() { log().live(""); }

}  // namespace sluice
