// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "job/archive/archive_queue.h"
#include "job/base/log.h"
#include "job/cli/command.h"
#include "job/cli/one_run.h"
#include "job/config/pipeline.h"
#include "job/queue/sqs_message.h"

namespace sluice {
namespace {

constexpr const char* kIdPurpose = "sluice/archive-id/v1";
/// Nothing is hidden from anybody, so that no lease has to be extended.
constexpr int kVisibilityS = 43'200;
/// How much is left to read is an estimate that costs nothing.
constexpr std::int64_t kLookEveryMs = 1'000;

/// Ids of bodies must stay when a key is added: the oldest key makes them, for as long as it is
/// kept.
const Keyring::Key& oldest_key(const Keyring& keyring) {
  return *std::ranges::min_element(keyring.keys(), {}, &Keyring::Key::created);
}

ArchiveInput input_of(const Settings& settings) {
  ArchiveInput input;
  input.files = settings.paths("input");
  input.format.sqs_envelope = settings.text("envelope") == "sqs";
  input.format.sent_at_from = settings.text("sent-at-from");
  input.format.sent_at_ms = settings.moment_ms("sent-at", 0);
  input.since_ms = settings.moment_ms("since", now().wall_ms);
  input.until_ms = settings.moment_ms("until", now().wall_ms);
  return input;
}

bool reads_sent_at(const Pipeline& pipeline, bool required) {
  for (const Table& table : pipeline.tables) {
    for (const Column& column : table.columns) {
      if (column.source.kind == Source::Kind::sent_at && (column.required || !required))
        return true;
    }
  }
  return false;
}

void check_usage(const Settings& settings) {
  if (!settings.has("input")) {
    throw Failure(Fault::usage, "backfill needs --input",
                  "sluice backfill --pipeline FILE --input archive.jsonl.gz --sent-at TIME");
  }
  const auto files = settings.paths("input");
  if (std::ranges::count(files, "-") > 1) {
    throw Failure(Fault::usage, "--input names standard input twice", "keep one -");
  }
  const bool told = settings.has("sent-at") || settings.has("sent-at-from");
  if (told && settings.text("envelope") == "sqs") {
    throw Failure(Fault::usage, "--sent-at is for bodies: with --envelope sqs each message tells",
                  "leave one of them out");
  }
  if (settings.text("sent-at") == "now") {
    throw Failure(Fault::usage, "--sent-at cannot be 'now'",
                  "the time is a part of what a message is recognised by: the same archive must be "
                  "given the same time again");
  }
  const auto sent_ms = settings.moment_ms("sent-at", 0);
  if (sent_ms && (*sent_ms <= 0 || *sent_ms >= kEndOfDaysMs)) {
    throw Failure(Fault::usage, "--sent-at is not of the years 1970 to 2199",
                  "the ledger has days for those only");
  }
}

class ArchiveIntake : public Intake {
 public:
  explicit ArchiveIntake(const Settings& settings) : settings_(settings) {}

  std::string_view name() const override { return kArchive; }
  bool is_queue() const override { return false; }
  /// One for all archives: a window that another backfill left needs nothing of it to be loaded.
  std::string identity(const Prepared&) const override { return std::string(kArchive); }
  std::vector<Dataset> datasets(const Prepared&) const override {
    std::vector<Dataset> files;
    for (const std::string& path : settings_.paths("input")) files.push_back(file_dataset(path));
    return files;
  }

  void open(Prepared& made, Now) override {
    make_queue(made, false);
    const ArchivePosition start = queue_->start();
    if (start == ArchivePosition{}) return;
    log().write(Level::info, "goes-on",
                "going on after record " + std::to_string(start.record) + " of file " +
                    std::to_string(start.file + 1) + ", where an earlier run was");
  }

  Queue& queue() override { return *queue_; }

  void bound(Limits& limits, const Prepared&) const override {
    limits.archive = true;
    limits.wait_s = 1;
    limits.empty_polls = 1;
    limits.visibility_s = kVisibilityS;
    limits.look_every_ms = kLookEveryMs;
  }

  Forwarding forwarding(Prepared&) override { return {}; }
  std::int64_t visible(const Prepared&) const override { return -1; }

  /// Reads it all and loads nothing: what would become of it.
  void dry_run(Prepared& made, RunReport& report) override;

  void end(const Drain& heart) override {
    queue_->end(queue_->at_end() && heart.stop_reason() == StopReason::drained);
  }

  RunReport::Requests requests(const Prepared&) const override { return {}; }

 private:
  void make_queue(const Prepared& made, bool is_trial);

  const Settings& settings_;
  std::unique_ptr<ArchiveQueue> queue_;
};

void ArchiveIntake::make_queue(const Prepared& made, bool is_trial) {
  const Pipeline& pipeline = *made.pipeline;
  ArchiveInput input = input_of(settings_);
  input.is_trial = is_trial;
  const bool told =
      input.format.sqs_envelope || input.format.sent_at_ms || !input.format.sent_at_from.empty();
  if (!told && reads_sent_at(pipeline, true)) {
    throw Failure(Fault::usage,
                  "a required column is read from @sent_at, and bodies do not tell it",
                  "give --sent-at TIME or --sent-at-from FIELD");
  }
  if (!told && reads_sent_at(pipeline, false)) {
    log().write_with_hint(Level::warning, "sent-at-unknown",
                          "when the bodies were sent is not known: columns from @sent_at are NULL",
                          "give --sent-at TIME or --sent-at-from FIELD");
  }
  queue_ = std::make_unique<ArchiveQueue>(std::move(input), pipeline,
                                          derive_key(oldest_key(*made.keyring), kIdPurpose, 32),
                                          made.checkpoint_path + ".cursor");
}

void ArchiveIntake::dry_run(Prepared& made, RunReport& report) {
  make_queue(made, true);
  std::int64_t messages_read = 0;
  std::map<std::string_view, std::int64_t> rejected;
  StagedBatch batch;
  std::vector<QueueAnswer> answers;
  for (Ticket ticket = 1;; ++ticket) {
    queue_->receive(ticket, kBatch, 1, 0);
    answers.clear();
    while (answers.empty()) queue_->wait(1000, answers);
    if (const auto* failed = std::get_if<CallFailed>(&answers.front())) {
      throw Failure(failed->failure);
    }
    const auto& received = std::get<Received>(answers.front());
    if (received.more_comes) continue;
    if (received.messages.empty()) break;
    std::vector<std::string> handles;
    for (const Message& message : received.messages) {
      const Masker::Verdict verdict = made.masker->stage(message, batch);
      if (verdict.rejected) ++rejected[verdict.reason];
      handles.push_back(message.receipt);
    }
    batch.clear();
    messages_read += static_cast<std::int64_t>(received.messages.size());
    answers.clear();
    queue_->remove(ticket, handles);
    queue_->wait(0, answers);
  }
  log().write(Level::info, "dry-run", std::to_string(messages_read) + " messages to load");
  for (const auto& [reason, count] : rejected) {
    log().write(Level::warning, "dry-run",
                std::to_string(count) + " of them would be rejected: " + std::string(reason));
  }
  report.conclude_dry_run(std::nullopt);
}

}  // namespace

int backfill_command(const Settings& settings, const Environment& environment) {
  check_usage(settings);
  ArchiveIntake archive(settings);
  return run_to_the_last_line(settings, environment, archive);
}

}  // namespace sluice
