// SPDX-License-Identifier: Apache-2.0
#include "job/aws/live_credentials.h"

#include <algorithm>
#include <utility>

#include "job/base/clock.h"
#include "job/base/log.h"

namespace sluice {
namespace {

// 15 and 10 minutes, as the SDKs have them: from the first on fresh keys are wanted, from the
// second on their lack is worth a warning.
constexpr std::int64_t kAdvisoryMs = 900'000;
constexpr std::int64_t kMandatoryMs = 600'000;
constexpr std::int64_t kLeastPauseMs = 1000;
constexpr std::int64_t kRetryPauseMs = 30'000;
// The wall clock may jump, and a suspended host wakes up late.
constexpr std::int64_t kLongestSleepMs = 60'000;

bool are_same(const Credentials& a, const Credentials& b) {
  return a.access_key == b.access_key && a.secret.reveal() == b.secret.reveal() &&
         a.session_token.reveal() == b.session_token.reveal();
}

}  // namespace

std::int64_t ms_until_refresh(std::int64_t left_ms) {
  return std::max({left_ms - kAdvisoryMs, left_ms / 2, kLeastPauseMs});
}

std::int64_t ms_until_retry(std::int64_t left_ms) {
  return left_ms <= 0 ? kRetryPauseMs : std::clamp(left_ms / 2, kLeastPauseMs, kRetryPauseMs);
}

LiveCredentials::LiveCredentials(Fetch fetch)
    : look_([fetch = std::move(fetch)](const std::stop_token&) { return fetch(); }) {
  take(look_(stop_.get_token()));
  if (due_ms_) start_thread();
}

LiveCredentials::LiveCredentials(std::vector<CredentialSource> sources) {
  take(find_credentials(sources, stop_.get_token(), &source_));
  look_ = [source = std::move(sources[source_])](const std::stop_token& stop) {
    if (auto found = source.find(stop)) return std::move(*found);
    throw Failure(Fault::temporary, "credentials: " + source.place + ": there are none any more",
                  "look what became of them, and run again");
  };
  if (due_ms_) start_thread();
}

LiveCredentials::~LiveCredentials() {
  {
    const std::lock_guard lock(mutex_);
    stop_.request_stop();
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<const Credentials> LiveCredentials::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

LiveCredentials::Renewal LiveCredentials::renew(const std::shared_ptr<const Credentials>& refused) {
  const std::lock_guard lock(mutex_);
  if (refused != current_) return Renewal::done;
  if (refused != refused_) {
    refused_ = refused;
    wanted_ = true;
    if (!thread_.joinable()) start_thread();
    changed_.notify_all();
  }
  return wanted_ ? Renewal::under_way : Renewal::failed;
}

std::optional<Failure> LiveCredentials::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void LiveCredentials::start_thread() {
  thread_ = std::thread([this] { work(); });
}

void LiveCredentials::work() {
  std::unique_lock lock(mutex_);
  while (!stop_.stop_requested()) {
    const std::int64_t left_ms = due_ms_ ? *due_ms_ - now().wall_ms : kLongestSleepMs;
    if (wanted_ || left_ms <= 0) {
      fetch(lock);
    } else {
      changed_.wait_for(lock, std::chrono::milliseconds(std::min(left_ms, kLongestSleepMs)));
    }
  }
}

void LiveCredentials::fetch(std::unique_lock<std::mutex>& lock) {
  const bool for_renewal = wanted_;  // one that is asked for meanwhile needs a fetch of its own
  lock.unlock();
  std::optional<Credentials> fetched;
  std::optional<Failure> failure;
  try {
    fetched = look_(stop_.get_token());
  } catch (const Failure& caught) {
    failure = caught;
  }
  lock.lock();
  if (stop_.stop_requested()) return;
  failure_ = std::move(failure);
  if (fetched) {
    take(std::move(*fetched));
  } else {
    const std::int64_t current_ms = now().wall_ms;
    const std::int64_t left_ms = expires_ms_.value_or(current_ms) - current_ms;
    if (expires_ms_) due_ms_ = current_ms + ms_until_retry(left_ms);
    tell(*failure_, left_ms);
  }
  if (for_renewal || current_ != refused_) wanted_ = false;
}

/// The same keys keep their pointer: who had them refused must not try them again.
void LiveCredentials::take(Credentials fetched) {
  const std::int64_t current_ms = now().wall_ms;
  expires_ms_ = fetched.expires_ms;
  due_ms_.reset();
  if (expires_ms_) {
    const std::int64_t left_ms = *expires_ms_ - current_ms;
    due_ms_ = current_ms + (left_ms > 0 ? ms_until_refresh(left_ms) : ms_until_retry(left_ms));
  }
  const bool first = current_ == nullptr;
  if (!first && are_same(*current_, fetched)) return;
  current_ = std::make_shared<const Credentials>(std::move(fetched));
  if (first) return;
  log().write(
      Level::debug, "credentials-renewed", "credentials were renewed",
      {{"origin", current_->origin}, {"expires", expires_ms_ ? rfc3339(*expires_ms_) : "never"}});
}

void LiveCredentials::tell(const Failure& failure, std::int64_t left_ms) const {
  const bool urgent = expires_ms_ && left_ms < kMandatoryMs;
  log().write_with_hint(urgent ? Level::warning : Level::debug, "credentials-not-renewed",
                        "credentials were not renewed, the old ones are kept: " + failure.message(),
                        failure.hint());
}

}  // namespace sluice
