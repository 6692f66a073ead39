// SPDX-License-Identifier: Apache-2.0
// A window's life in the checkpoint, on the disk of the temporary folder. Windows come and go as in
// a run, so that the file's room is used again.
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "bench/login.h"
#include "bench/micro.h"
#include "checkpoint/checkpoint.h"
#include "job/base/random.h"
#include "job/mask/masker.h"

namespace sluice {
namespace {

constexpr std::int64_t kWallMs = 1'795'176'000'000;
constexpr int kWindow = 10'000;
constexpr int kBatch = 5000;  // as job/pipeline/staging.cc

/// Masked messages in batches, ready to be staged, and a checkpoint of their own.
class Staged {
 public:
  Staged(int messages, int batch) {
    const Keyring keyring = Keyring::generate(kWallMs);
    Masker masker(login_pipeline(), keyring);
    for (int n = 0; n < messages; ++n) {
      if (n % batch == 0) batches_.emplace_back();
      const Message message = login(n);
      masker.stage(message, batches_.back().masked);
      batches_.back().receipts.push_back({static_cast<std::uint32_t>(n), message.receipt});
    }
    std::filesystem::create_directory(folder_);
    checkpoint_.emplace(folder_ / "checkpoint.db",
                        CheckpointIdentity{"user_logins", "queue", "database"}, kWallMs);
  }
  ~Staged() {
    checkpoint_.reset();
    std::filesystem::remove_all(folder_);
  }
  Staged(const Staged&) = delete;
  Staged& operator=(const Staged&) = delete;

  void stage() {
    window_ = checkpoint_->open_window(kWallMs);
    for (const Batch& batch : batches_)
      checkpoint_->stage(window_, batch.masked, batch.receipts, {});
  }
  void seal() { checkpoint_->seal(window_, random_128()); }
  SealedWindow read() const { return checkpoint_->read(window_); }
  void forget() {
    checkpoint_->mark_loaded(window_);
    checkpoint_->close(window_, kWallMs);
    checkpoint_->prune(kWallMs + 1, 0);
  }

 private:
  struct Batch {
    StagedBatch masked;
    std::vector<Receipt> receipts;
  };

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("sluice-micro-" + random_uuid());
  std::vector<Batch> batches_;
  std::optional<Checkpoint> checkpoint_;
  std::int64_t window_ = 0;
};

Micro staging(const std::string& how, int batch) {
  return {"stage a window of 10000 messages, " + how, kWindow, [batch] {
            auto staged = std::make_shared<Staged>(kWindow, batch);
            return Micro::Work{[staged] { staged->stage(); },
                               [staged] {
                                 staged->seal();
                                 staged->forget();
                               }};
          }};
}

const Micro as_a_run_does = staging("5000 a transaction", kBatch);
const Micro at_once = staging("in one transaction", kWindow);

const Micro seal("seal a window of 10000 messages", kWindow, [] {
  auto staged = std::make_shared<Staged>(kWindow, kBatch);
  staged->stage();
  return Micro::Work{[staged] { staged->seal(); },
                     [staged] {
                       staged->forget();
                       staged->stage();
                     }};
});

const Micro read_back("read a sealed window of 10000 messages back", kWindow, [] {
  auto staged = std::make_shared<Staged>(kWindow, kBatch);
  staged->stage();
  staged->seal();
  return Micro::Work{[staged] { benchmark::DoNotOptimize(staged->read()); }};
});

const Micro forget("mark a window of 10000 messages loaded, close and prune it", kWindow, [] {
  auto staged = std::make_shared<Staged>(kWindow, kBatch);
  const auto make = [staged] {
    staged->stage();
    staged->seal();
  };
  make();
  return Micro::Work{[staged] { staged->forget(); }, make};
});

}  // namespace
}  // namespace sluice
