// SPDX-License-Identifier: Apache-2.0
#include "job/aws/live_credentials.h"

#include <atomic>
#include <filesystem>

#include <gtest/gtest.h>

#include "job/base/clock.h"
#include "job/base/log.h"

namespace sluice {
namespace {

using Renewal = LiveCredentials::Renewal;

/// A provider that hands out what the test says, and can be held in the middle of it.
class Provider {
 public:
  Credentials give() {
    std::unique_lock lock(mutex_);
    ++calls_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !held_; });
    if (away_) throw Failure(Fault::temporary, "provider: away", "wait");
    Credentials credentials{key_, Secret("secret of " + key_), Secret(), "a provider"};
    if (life_ms_) credentials.expires_ms = now().wall_ms + *life_ms_;
    return credentials;
  }
  LiveCredentials::Fetch fetch() {
    return [this] { return give(); };
  }

  void set(const std::string& key, std::optional<std::int64_t> life_ms = std::nullopt) {
    const std::lock_guard lock(mutex_);
    key_ = key;
    life_ms_ = life_ms;
    away_ = false;
  }
  void go_away() {
    const std::lock_guard lock(mutex_);
    away_ = true;
  }
  void hold(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  int calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  void await_calls(int calls) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return calls_ >= calls; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string key_ = "AK1";
  std::optional<std::int64_t> life_ms_;
  bool away_ = false;
  bool held_ = false;
  int calls_ = 0;
};

template <typename Condition>
void await(Condition condition) {
  while (!condition()) std::this_thread::yield();
}

/// Asks until it is settled.
Renewal settled(LiveCredentials& live, const std::shared_ptr<const Credentials>& refused) {
  Renewal renewal = Renewal::under_way;
  await([&] { return (renewal = live.renew(refused)) != Renewal::under_way; });
  return renewal;
}

std::ptrdiff_t threads() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kHour = 60 * kMinute;

TEST(LiveCredentials, keys_are_fetched_a_quarter_of_an_hour_before_they_expire) {
  EXPECT_EQ(ms_until_refresh(6 * kHour), 6 * kHour - 15 * kMinute);
  EXPECT_EQ(ms_until_refresh(kHour), 45 * kMinute);
}

TEST(LiveCredentials, keys_that_live_shorter_are_fetched_at_half_of_it_and_never_in_a_hot_loop) {
  EXPECT_EQ(ms_until_refresh(20 * kMinute), 10 * kMinute);
  EXPECT_EQ(ms_until_refresh(10 * kMinute), 5 * kMinute);
  EXPECT_EQ(ms_until_refresh(10'000), 5000);
  EXPECT_EQ(ms_until_refresh(100), 1000);
  EXPECT_EQ(ms_until_retry(10 * kMinute), 30'000);
  EXPECT_EQ(ms_until_retry(20'000), 10'000);
  EXPECT_EQ(ms_until_retry(1), 1000);
  EXPECT_EQ(ms_until_retry(0), 30'000);
  EXPECT_EQ(ms_until_retry(-kHour), 30'000);
}

TEST(LiveCredentials, static_keys_are_fetched_once_and_need_no_thread) {
  Provider provider;
  const std::ptrdiff_t before = threads();
  LiveCredentials live(provider.fetch());
  EXPECT_EQ(threads(), before);
  EXPECT_EQ(live.current()->access_key, "AK1");
  EXPECT_EQ(live.current(), live.current());
  EXPECT_FALSE(live.failure());
  EXPECT_EQ(provider.calls(), 1);
}

TEST(LiveCredentials, the_first_failure_is_thrown) {
  Provider provider;
  provider.go_away();
  EXPECT_THROW(LiveCredentials{provider.fetch()}, Failure);
}

TEST(LiveCredentials, keys_that_expire_are_replaced_by_themselves) {
  Provider provider;
  provider.set("AK1", 1000);
  LiveCredentials live(provider.fetch());
  const auto first = live.current();
  provider.set("AK2", kHour);
  await([&] { return live.current() != first; });
  EXPECT_EQ(live.current()->access_key, "AK2");
  EXPECT_EQ(first->access_key, "AK1");  // whoever signs with them still has them
  EXPECT_EQ(provider.calls(), 2);
}

TEST(LiveCredentials, while_the_provider_is_away_the_old_keys_are_kept_and_it_is_asked_again) {
  Provider provider;
  provider.set("AK1", 4000);
  LiveCredentials live(provider.fetch());
  const auto first = live.current();
  provider.go_away();
  await([&] { return live.failure().has_value(); });
  EXPECT_EQ(live.failure()->message(), "provider: away");
  EXPECT_EQ(live.current(), first);
  provider.set("AK2", kHour);
  await([&] { return live.current() != first; });
  EXPECT_EQ(live.current()->access_key, "AK2");
  EXPECT_FALSE(live.failure());
}

TEST(LiveCredentials, refused_keys_are_fetched_anew_once_however_often_it_is_asked) {
  Provider provider;
  LiveCredentials live(provider.fetch());
  const auto refused = live.current();
  provider.set("AK2");
  provider.hold(true);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(live.renew(refused), Renewal::under_way);
  provider.await_calls(2);
  EXPECT_EQ(live.renew(refused), Renewal::under_way);
  EXPECT_EQ(live.current(), refused);
  provider.hold(false);
  EXPECT_EQ(settled(live, refused), Renewal::done);
  EXPECT_EQ(live.current()->access_key, "AK2");
  EXPECT_EQ(live.renew(refused), Renewal::done);
  EXPECT_EQ(provider.calls(), 2);
}

TEST(LiveCredentials, a_renewal_that_brings_the_same_keys_has_failed_for_good) {
  Provider provider;
  LiveCredentials live(provider.fetch());
  const auto refused = live.current();
  EXPECT_EQ(settled(live, refused), Renewal::failed);
  EXPECT_EQ(live.renew(refused), Renewal::failed);
  EXPECT_EQ(live.current(), refused);
  EXPECT_FALSE(live.failure());
  EXPECT_EQ(provider.calls(), 2);
}

TEST(LiveCredentials, a_renewal_whose_fetch_fails_has_failed_and_says_why) {
  Provider provider;
  LiveCredentials live(provider.fetch());
  const auto refused = live.current();
  provider.go_away();
  EXPECT_EQ(settled(live, refused), Renewal::failed);
  EXPECT_EQ(live.failure()->fault(), Fault::temporary);
  EXPECT_EQ(live.current(), refused);
}

TEST(LiveCredentials, the_next_keys_can_be_refused_in_turn) {
  Provider provider;
  LiveCredentials live(provider.fetch());
  provider.set("AK2");
  EXPECT_EQ(settled(live, live.current()), Renewal::done);
  provider.set("AK3");
  EXPECT_EQ(settled(live, live.current()), Renewal::done);
  EXPECT_EQ(live.current()->access_key, "AK3");
}

TEST(LiveCredentials, a_renewal_asked_for_during_a_fetch_gets_one_of_its_own) {
  Provider provider;
  provider.set("AK1", 1000);
  LiveCredentials live(provider.fetch());
  provider.set("AK1", kHour);
  provider.hold(true);
  provider.await_calls(2);  // by itself, and it will bring the same keys
  const auto refused = live.current();
  EXPECT_EQ(live.renew(refused), Renewal::under_way);
  provider.hold(false);
  EXPECT_EQ(settled(live, refused), Renewal::failed);
  EXPECT_EQ(provider.calls(), 3);
}

TEST(LiveCredentials, the_source_that_was_first_used_stays) {
  std::atomic<bool> other_has_some = false;
  std::atomic<bool> has_some = true;
  std::atomic<int> round = 0;
  const auto keys = [](const std::string& key) {
    return Credentials{key, Secret("s"), Secret(), "somewhere"};
  };
  LiveCredentials live({{"a file", "",
                         [&](const std::stop_token&) {
                           return other_has_some ? std::optional(keys("AKOTHER")) : std::nullopt;
                         }},
                        {"a host", "", [&](const std::stop_token&) {
                           return has_some ? std::optional(keys("AK" + std::to_string(++round)))
                                           : std::nullopt;
                         }}});
  EXPECT_EQ(live.source(), 1U);
  EXPECT_EQ(live.current()->access_key, "AK1");
  other_has_some = true;
  EXPECT_EQ(settled(live, live.current()), Renewal::done);
  EXPECT_EQ(live.current()->access_key, "AK2");
  has_some = false;
  EXPECT_EQ(settled(live, live.current()), Renewal::failed);
  EXPECT_EQ(live.failure()->fault(), Fault::temporary);
  EXPECT_EQ(live.failure()->message(), "credentials: a host: there are none any more");
}

TEST(LiveCredentials, an_end_stops_the_fetch_that_is_under_way) {
  std::atomic<int> calls = 0;
  LiveCredentials live({{"a slow place", "", [&](const std::stop_token& stop) {
                           if (++calls > 1) await([&] { return stop.stop_requested(); });
                           return std::optional(Credentials{"AK", Secret("s"), Secret(), "there"});
                         }}});
  EXPECT_EQ(live.renew(live.current()), Renewal::under_way);
  await([&] { return calls > 1; });
}  // hangs here if nobody stops it

TEST(LiveCredentials, many_threads_may_ask_at_once) {
  Provider provider;
  provider.set("AK1", 1000);
  LiveCredentials live(provider.fetch());
  std::vector<std::thread> askers;
  askers.reserve(4);
  for (int i = 0; i < 4; ++i) {
    askers.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        const auto keys = live.current();
        EXPECT_EQ(keys->secret.reveal(), "secret of " + keys->access_key);
        live.renew(keys);
        live.failure();
      }
    });
  }
  for (int i = 2; i < 50; ++i) provider.set("AK" + std::to_string(i), 1000);
  for (std::thread& asker : askers) asker.join();
}

}  // namespace
}  // namespace sluice
