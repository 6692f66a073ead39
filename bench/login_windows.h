// SPDX-License-Identifier: Apache-2.0
// Sealed windows of login messages, as a run makes them: masked, staged in a checkpoint, read back.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "job/mask/keyring.h"
#include "job/mask/masker.h"
#include "job/queue/queue.h"

namespace sluice {

/// Which one of a hundred messages came before: none; one that SQS marks as a redelivery
/// (ReceiveCount), as it may not do with what it delivers twice by itself; one that looks new; one
/// that looks new and that another worker has loaded.
enum class Duplicates { none, marked, unmarked, elsewhere };

class LoginWindows {
 public:
  static constexpr std::int64_t kFirstArrivalMs = 1'795'176'000'000;  // 2026-11-20 12:00 UTC
  static constexpr std::uint64_t kArrivalsPerSecond = 5000;

  /// A message was sent up to `jitter_ms` before it arrives, every delay as likely as the others.
  /// The first is the one that arrives behind `before` others.
  LoginWindows(const std::string& checkpoint, std::int64_t jitter_ms, std::uint64_t before);

  SealedWindow next(std::uint32_t messages, Duplicates duplicates);
  /// For another worker: these are what comes again as `elsewhere`, each once.
  SealedWindow next_elsewhere(std::uint32_t messages);

 private:
  SealedWindow seal(const std::vector<Message>& messages);
  Message arrive();
  Message come_again(Duplicates duplicates);

  std::int64_t jitter_ms_;
  std::uint64_t arrived_;
  Keyring keyring_;
  Masker masker_;
  Checkpoint checkpoint_;
  std::mt19937_64 random_;
  std::vector<Message> earlier_;  // one of a hundred, of the windows before this one
  std::vector<Message> used_;     // of them, those in this window
  std::vector<Message> elsewhere_;
};

}  // namespace sluice
