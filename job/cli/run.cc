// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "job/cli/command.h"
#include "job/cli/dead_letters.h"
#include "job/cli/one_run.h"
#include "job/mask/seal.h"
#include "job/warehouse/ledger_days.h"

namespace sluice {
namespace {

constexpr int kDefaultVisibilityS = 120;

class QueueIntake : public Intake {
 public:
  explicit QueueIntake(const Settings& settings) : settings_(settings) {}

  std::string_view name() const override { return kQueue; }
  bool is_queue() const override { return true; }
  std::string identity(const Prepared& made) const override { return made.access.queue->url(); }
  std::vector<Dataset> datasets(const Prepared& made) const override {
    if (made.facts->arn.empty()) return {};
    return {queue_dataset(made.facts->arn)};
  }

  void open(Prepared& made, Now started) override {
    queue_ = made.access.queue.get();
    started_ms_ = started.wall_ms;
    prepare_days(*made.connection, started.wall_ms, made.facts->retention_s);
  }

  Queue& queue() override { return *queue_; }

  void bound(Limits& limits, const Prepared& made) const override {
    const QueueFacts& facts = *made.facts;
    limits.clock_offset_ms = queue_->clock_offset_ms();
    limits.receivers = static_cast<int>(settings_.count("receivers"));
    limits.wait_s = static_cast<int>(settings_.count("wait-seconds"));
    limits.empty_polls = static_cast<int>(settings_.count("empty-polls"));
    const auto wished =
        static_cast<int>((settings_.duration_ms("visibility-timeout") + 999) / 1000);
    // Never below the queue's own: its owner knows why.
    limits.visibility_s =
        std::max(wished > 0 ? wished : kDefaultVisibilityS, static_cast<int>(facts.visibility_s));
    limits.sent_before_ms =
        settings_.moment_ms("sent-before", started_ms_ + limits.clock_offset_ms).value_or(0);
    limits.fifo = facts.fifo;
    limits.max_receive_count = static_cast<std::uint32_t>(facts.max_receive_count.value_or(0));
    limits.forwards = made.pipeline->rejections == Rejections::dead_letter_queue;
  }

  Forwarding forwarding(Prepared& made) override {
    if (made.pipeline->rejections != Rejections::dead_letter_queue) return {};
    dead_letters_.emplace(*made.dead_letter_queue, made.dead_letter_queue_is_fifo,
                          made.pipeline->name);
    return {&*dead_letters_,
            [&made](std::string_view key_id, const MessageId& id, std::string_view bytes) {
              return unseal(*made.keyring, key_id, id, bytes);
            }};
  }

  std::int64_t visible(const Prepared& made) const override {
    return made.counts ? made.counts->visible : 0;
  }

  void dry_run(Prepared& made, RunReport& report) override { report.conclude_dry_run(made.counts); }

  void end(const Drain&) override {}

  RunReport::Requests requests(const Prepared& made) const override {
    RunReport::Requests all;
    if (made.access.queue) all = made.access.queue->requests();
    if (made.dead_letter_queue) {
      for (const auto& [operation, count] : made.dead_letter_queue->requests()) {
        all[operation] += count;
      }
    }
    return all;
  }

 private:
  const Settings& settings_;
  SqsQueue* queue_ = nullptr;
  std::int64_t started_ms_ = 0;
  std::optional<SqsDeadLetters> dead_letters_;
};

}  // namespace

int run_command(const Settings& settings, const Environment& environment) {
  QueueIntake queue(settings);
  return run_to_the_last_line(settings, environment, queue);
}

}  // namespace sluice
