// SPDX-License-Identifier: Apache-2.0
#include "job/announce/delivery.h"

#include <algorithm>
#include <set>
#include <utility>

#include "job/base/clock.h"
#include "job/base/log.h"
#include "job/base/output.h"
#include "job/base/text.h"
#include "job/http/http.h"

namespace sluice {
namespace {

constexpr std::int64_t kLookMs = 50;  // how often a wait sees that it has become shorter
/// A process that is told to end gives them a second, and none later than this: Airflow's
/// supervisor kills 5 s after SIGTERM.
constexpr std::int64_t kWithinWhenStoppedMs = 1'000;
constexpr std::int64_t kLatestAfterStopMs = 4'500;
/// Of an answer, which nobody reads.
constexpr std::size_t kMostBytes = 64 << 10;

/// What is wrong with it, or nothing.
std::string fault_of(const HttpAnswer& answer) {
  if (answer.status == 0) return printable(answer.error, 200);
  if (answer.status >= 200 && answer.status < 300) return "";
  const bool elsewhere = answer.status >= 300 && answer.status < 400;
  return "it answered " + std::to_string(answer.status) +
         (elsewhere ? ", and redirects are not followed" : "");
}

bool deserves_another_try(const HttpAnswer& answer) {
  return answer.status == 0 || answer.status == 429 || answer.status >= 500;
}

class Delivery {
 public:
  Delivery(const std::vector<Announcement>& all, std::int64_t within_ms)
      : all_(all), faults_(all.size(), "no answer in time"), end_ms_(begin_ms_ + within_ms) {}

  /// What went wrong with each; nothing where all went well.
  std::vector<std::string> to_end() {
    for (std::size_t i = 0; i < all_.size(); ++i) send(i);
    std::size_t open = all_.size();
    std::vector<HttpAnswer> answers;
    while (open > 0 && left_ms() > 0) {
      http_.wait(std::min(kLookMs, left_ms()), answers);
      for (const HttpAnswer& answer : answers) {
        if (!is_repeated(answer)) --open;
      }
      answers.clear();
    }
    return std::move(faults_);
  }

 private:
  std::int64_t left_ms() const {
    std::int64_t end_ms = end_ms_;
    if (const auto stopped_ms = patience_lost_ms()) {
      end_ms = std::min({end_ms, std::max(begin_ms_, *stopped_ms) + kWithinWhenStoppedMs,
                         *stopped_ms + kLatestAfterStopMs});
    }
    return end_ms - now().steady_ms;
  }

  void send(std::uint64_t ticket) {
    HttpRequest request = all_[ticket].request;
    request.timeout_ms = std::max<std::int64_t>(1, left_ms());
    http_.start(ticket, std::move(request));
  }

  bool is_repeated(const HttpAnswer& answer) {
    const bool first = repeated_.insert(answer.ticket).second;
    if (first && deserves_another_try(answer) && left_ms() > 0) {
      send(answer.ticket);
      return true;
    }
    faults_[answer.ticket] = fault_of(answer);
    return false;
  }

  const std::vector<Announcement>& all_;
  std::vector<std::string> faults_;
  std::set<std::uint64_t> repeated_;
  std::int64_t begin_ms_ = now().steady_ms;
  std::int64_t end_ms_;
  Http http_{HttpSettings{}};
};

}  // namespace

Announcement::Announcement(std::string its_service, const Url& url)
    : service(std::move(its_service)) {
  request.origin = url.origin();
  request.path = url.path;
  request.query = url.query;
  request.most_bytes = kMostBytes;
}

void deliver(const std::vector<Announcement>& all, std::int64_t within_ms) {
  if (all.empty()) return;
  const std::vector<std::string> faults = Delivery(all, within_ms).to_end();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (faults[i].empty()) continue;
    log().write(Level::warning, "not-announced",
                all[i].service + " at " + all[i].request.origin + ": " + faults[i]);
  }
}

}  // namespace sluice
