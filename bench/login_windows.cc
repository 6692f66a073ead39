// SPDX-License-Identifier: Apache-2.0
#include "bench/login_windows.h"

#include <utility>

#include "bench/login.h"
#include "job/base/random.h"

namespace sluice {
namespace {

constexpr std::uint32_t kBatch = 5000;
constexpr std::uint32_t kOneOf = 100;

}  // namespace

LoginWindows::LoginWindows(const std::string& checkpoint, std::int64_t jitter_ms,
                           std::uint64_t before)
    : jitter_ms_(jitter_ms),
      arrived_(before),
      keyring_(Keyring::generate(kFirstArrivalMs)),
      masker_(login_pipeline(), keyring_),
      checkpoint_(checkpoint, {"user_logins", "queue", "database"}, kFirstArrivalMs),
      random_(before + 1) {}

SealedWindow LoginWindows::next(std::uint32_t messages, Duplicates duplicates) {
  std::vector<Message> arrived;
  for (std::uint32_t position = 0; position < messages; ++position) {
    const bool again = duplicates != Duplicates::none && position % kOneOf == 0;
    arrived.push_back(again ? come_again(duplicates) : arrive());
    if (position % kOneOf == 1) used_.push_back(arrived.back());
  }
  earlier_.insert(earlier_.end(), used_.begin(), used_.end());
  used_.clear();
  return seal(arrived);
}

SealedWindow LoginWindows::next_elsewhere(std::uint32_t messages) {
  elsewhere_.clear();
  while (elsewhere_.size() < messages) elsewhere_.push_back(arrive());
  return seal(elsewhere_);
}

SealedWindow LoginWindows::seal(const std::vector<Message>& messages) {
  const std::int64_t number = checkpoint_.open_window(kFirstArrivalMs);
  StagedBatch batch;
  std::vector<Receipt> receipts;
  for (std::uint32_t position = 0; position < messages.size(); ++position) {
    masker_.stage(messages[position], batch);
    receipts.push_back({position, messages[position].receipt});
    if (batch.messages() < kBatch && position + 1 < messages.size()) continue;
    checkpoint_.stage(number, batch, receipts, {});
    batch.clear();
    receipts.clear();
  }
  checkpoint_.seal(number, random_128());
  SealedWindow window = checkpoint_.read(number);
  checkpoint_.mark_loaded(number);
  checkpoint_.close(number, kFirstArrivalMs);
  checkpoint_.prune(kFirstArrivalMs + 1, 0);
  return window;
}

Message LoginWindows::arrive() {
  Message message = login(arrived_);
  message.sent_ms =
      kFirstArrivalMs + static_cast<std::int64_t>(arrived_ * 1000 / kArrivalsPerSecond);
  message.sent_ms -= std::uniform_int_distribution<std::int64_t>(0, jitter_ms_)(random_);
  ++arrived_;
  return message;
}

/// A window holds each message once.
Message LoginWindows::come_again(Duplicates duplicates) {
  std::vector<Message>& pool = duplicates == Duplicates::elsewhere ? elsewhere_ : earlier_;
  std::swap(pool.at(random_() % pool.size()), pool.back());
  Message message = std::move(pool.back());
  pool.pop_back();
  if (duplicates != Duplicates::elsewhere) used_.push_back(message);
  message.receive_count = duplicates == Duplicates::marked ? 2 : 1;
  return message;
}

}  // namespace sluice
