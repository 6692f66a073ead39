// SPDX-License-Identifier: Apache-2.0
// Windows of simple messages, and a migrated database with a table to load them into.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "job/config/pipeline.h"
#include "job/warehouse/postgres_warehouse.h"
#include "tests/support/postgres.h"

namespace sluice {

/// 2026-11-20 12:00 UTC, and each message a millisecond later.
inline constexpr std::int64_t kFirstSentMs = 1'795'176'000'000;

/// Message `n` is the row (n, name) of public.numbers. The same n is the same message, in whatever
/// window.
struct TestMessage {
  int n = 0;
  std::string name = "x";
  bool rejected = false;
  std::uint32_t receive_count = 1;
  std::int64_t sent_ms = 0;  // 0: kFirstSentMs + n
  std::string sequence{};
  int second_table = -1;  // a row of public.others with this number too
  std::string group{};
  std::string body{};  // sealed beside its rows, or of a rejected message
};
SealedWindow make_window(const std::vector<TestMessage>& messages);
std::vector<TestMessage> numbered(int first, int count);

class LoadingDatabase : public TestDatabase {
 public:
  /// public.numbers (n integer, name varchar(10)) and public.others (n integer); schema sluice with
  /// its days.
  explicit LoadingDatabase(const TestCluster& cluster = TestCluster::shared());

  /// As a user who is in sluice_loader and may insert into the tables, nothing else. With `port`,
  /// of a proxy, over TCP.
  PostgresWarehouse warehouse(LoadLimits limits = {}, DeadLetters* letters = nullptr,
                              const std::string& port = "") const;
  std::string loader_conninfo() const { return conninfo(loader_); }
  std::string tcp_conninfo(const std::string& port) const;
  const std::string& loader() const { return loader_; }

  Pipeline pipeline;

 private:
  std::string loader_;
};

/// A dead-letter queue that remembers what it was sent, call by call.
class TestLetters : public DeadLetters {
 public:
  using Letters = std::vector<DeadLetter>;

  std::vector<bool> send(const Letters& letters) override;
  void interrupt() override { ++interrupts; }

  /// Called with each round, before it is taken.
  std::function<void(const Letters&)> on_send = [](const Letters&) {};
  std::function<bool(const DeadLetter&)> takes = [](const DeadLetter&) { return true; };
  std::vector<Letters> rounds;
  std::atomic<int> interrupts = 0;
  /// Last digits of the message ids of all rounds, "01 02".
  std::string sent() const;
};

/// The counts of a load that succeeded; else throws with what happened.
LoadCounts loaded(const LoadResult& result);
/// The failure of one that did not.
LoadFailed failed(const LoadResult& result);

}  // namespace sluice
