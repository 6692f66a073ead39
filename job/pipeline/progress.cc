// SPDX-License-Identifier: Apache-2.0
#include "job/pipeline/progress.h"

#include <algorithm>
#include <string>
#include <vector>

#include "job/base/log.h"

namespace sluice {
namespace {

constexpr std::int64_t kLiveMs = 200;
constexpr std::int64_t kLogMs = 10'000;
constexpr std::int64_t kRateMs = 2'000;

std::string clock_time(std::int64_t seconds) {
  const auto two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  return std::to_string(seconds / 3600) + ":" + two(seconds / 60 % 60) + ":" + two(seconds % 60);
}

}  // namespace

void Progress::look(const Drain& drain, Now now) {
  const Books& books = drain.books();
  const std::int64_t since_rated = now.steady_ms - rated_ms_;
  if (since_rated >= kRateMs || per_second_ == 0) {
    const auto came = static_cast<std::int64_t>(books.received - rated_received_);
    per_second_ = came * 1000 / std::max<std::int64_t>(1, since_rated);
  }
  if (since_rated >= kRateMs) {
    rated_ms_ = now.steady_ms;
    rated_received_ = books.received;
  }
  const bool live = log().on_terminal() && log().format() == LogFormat::text;
  if (now.steady_ms - told_ms_ < (live ? kLiveMs : kLogMs)) return;
  told_ms_ = now.steady_ms;

  // The queue's own counter is asked every 10 s only; what came since is known.
  const auto received = static_cast<std::int64_t>(books.received);
  if (drain.counts() && drain.counts()->visible != counted_) {
    counted_ = drain.counts()->visible;
    visible_ = counted_ + received;
  }
  const bool known = visible_ >= 0;
  const std::int64_t left = std::max<std::int64_t>(0, visible_ - received);
  if (live) {
    std::string line = "received " + std::to_string(received) + "  loaded " +
                       std::to_string(books.loaded) + "  rejected " +
                       std::to_string(books.rejected) + "  " + std::to_string(per_second_) + "/s";
    if (known) line += "  left " + std::to_string(left);
    if (left > 0 && per_second_ > 0) line += "  to go " + clock_time(left / per_second_);
    log().live(line);
    return;
  }
  std::vector<LogField> fields = {{"received", received},
                                  {"loaded", static_cast<std::int64_t>(books.loaded)},
                                  {"rejected", static_cast<std::int64_t>(books.rejected)},
                                  {"deleted", static_cast<std::int64_t>(books.deleted)},
                                  {"per_second", per_second_}};
  if (known) fields.push_back({"left_in_queue", left});
  if (left > 0 && per_second_ > 0) fields.push_back({"to_go_s", left / per_second_});
  log().write(Level::info, "progress", "draining", fields);
}

void Progress::end() { log().live(""); }

}  // namespace sluice
