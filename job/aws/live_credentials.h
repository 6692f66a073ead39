// SPDX-License-Identifier: Apache-2.0
// Credentials that stay fresh: fetched again ahead of their expiry by a thread of its own, so that
// no request waits for them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "job/aws/credentials.h"
#include "job/base/failure.h"

namespace sluice {

class LiveCredentials {
 public:
  /// Throws what it throws: Failure{rights} when there are none or they are refused,
  /// Failure{temporary} when their provider cannot be reached.
  using Fetch = std::function<Credentials()>;

  /// Fetches the first ones before it returns.
  explicit LiveCredentials(Fetch fetch);
  /// From the first source that has any, and from then on from that one alone: a file that is just
  /// being written must not make us somebody else.
  explicit LiveCredentials(std::vector<CredentialSource> sources);
  /// A fetch under way is stopped, which takes no second.
  ~LiveCredentials();
  LiveCredentials(const LiveCredentials&) = delete;
  LiveCredentials& operator=(const LiveCredentials&) = delete;

  /// To sign with now, never null. While their provider is away the old ones are kept. From any
  /// thread.
  std::shared_ptr<const Credentials> current() const;

  /// How it stands with replacing what AWS refused.
  enum class Renewal { under_way, done, failed };
  /// `refused` came from `current` and AWS called them expired or unknown. They are fetched anew,
  /// once, however often this is asked; `done` when `current` gives others, `failed` when the
  /// provider gave the same or none. Does not block. From any thread.
  Renewal renew(const std::shared_ptr<const Credentials>& refused);
  /// Why the last fetch failed; none when it did not.
  std::optional<Failure> failure() const;

  /// Which of the sources is in use.
  std::size_t source() const { return source_; }

 private:
  using Look = std::function<Credentials(const std::stop_token&)>;

  void take(Credentials fetched);
  void start_thread();
  void work();
  void fetch(std::unique_lock<std::mutex>& lock);
  void tell(const Failure& failure, std::int64_t left_ms) const;

  Look look_;
  std::size_t source_ = 0;
  std::stop_source stop_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<const Credentials> current_;
  std::optional<std::int64_t> expires_ms_;      // as the provider said last
  std::optional<std::int64_t> due_ms_;          // wall clock; none: not by itself
  std::shared_ptr<const Credentials> refused_;  // the last that a renewal was asked for
  bool wanted_ = false;                         // and it has not been tried yet
  std::optional<Failure> failure_;
  std::thread thread_;  // none as long as nothing has to be fetched
};

/// How long keys are used before they are fetched again: until a quarter of an hour before they
/// expire, or half of what is left to them when that is more.
std::int64_t ms_until_refresh(std::int64_t left_ms);
/// And after a fetch that failed, or brought keys that had expired.
std::int64_t ms_until_retry(std::int64_t left_ms);

}  // namespace sluice
