// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <mutex>
#include <random>
#include <thread>

#include "job/base/file.h"
#include "job/base/log.h"
#include "job/base/random.h"
#include "job/cli/command.h"
#include "job/cli/dead_letters.h"
#include "job/cli/preflight.h"
#include "job/mask/seal.h"
#include "job/pipeline/checkpoint_failure.h"
#include "job/pipeline/event_loop.h"
#include "job/pipeline/metrics.h"
#include "job/pipeline/progress.h"
#include "job/pipeline/summary.h"
#include "job/warehouse/ledger_days.h"
#include "job/warehouse/postgres_warehouse.h"
#include "job/warehouse/run_log.h"

namespace sluice {
namespace {

constexpr int kDefaultVisibilityS = 120;
// `end_run` may take twice as long; a stop has 5 s in all.
constexpr std::int64_t kRecordLimitMs = 1'500;
constexpr std::int64_t kRecordLimitWhenStoppedMs = 600;

Limits limits_of(const Settings& settings, const Pipeline& pipeline, const QueueFacts& facts,
                 std::int64_t sqs_now_ms) {
  Limits limits;
  limits.max_messages = static_cast<std::uint64_t>(settings.count("max-messages"));
  limits.max_runtime_ms = settings.duration_ms("max-runtime");
  limits.window_messages = static_cast<std::uint32_t>(settings.count("window-messages"));
  limits.window_bytes = static_cast<std::uint64_t>(settings.bytes("window-bytes"));
  limits.window_time_ms = settings.duration_ms("window-time");
  limits.in_flight_cap = static_cast<std::uint64_t>(settings.count("in-flight-cap"));
  limits.receivers = static_cast<int>(settings.count("receivers"));
  limits.wait_s = static_cast<int>(settings.count("wait-seconds"));
  limits.empty_polls = static_cast<int>(settings.count("empty-polls"));
  const auto wished = static_cast<int>((settings.duration_ms("visibility-timeout") + 999) / 1000);
  // Never below the queue's own: its owner knows why.
  limits.visibility_s =
      std::max(wished > 0 ? wished : kDefaultVisibilityS, static_cast<int>(facts.visibility_s));
  limits.sent_before_ms = settings.moment_ms("sent-before", sqs_now_ms).value_or(0);
  limits.fifo = facts.fifo;
  limits.max_receive_count = static_cast<std::uint32_t>(facts.max_receive_count.value_or(0));
  limits.forwards = pipeline.rejections == Rejections::dead_letter_queue;
  limits.dedup_ms = dedup_days(settings) * 86'400'000LL;
  limits.keep_closed_bytes = static_cast<std::uint64_t>(settings.bytes("keep-closed"));
  return limits;
}

/// Closed windows are kept where there is room, and dropped where there is none for what comes.
std::uint64_t keep_closed_within_space(Checkpoint& checkpoint, const std::string& path,
                                       const Limits& limits) {
  const auto room = [&] {
    return disk_space(folder_of(path)).free_bytes + checkpoint.reusable_bytes();
  };
  const std::uint64_t needed = disk_needed(limits.window_bytes);
  if (room() < needed) checkpoint.prune(0, 0);
  const std::uint64_t spare = room() > needed ? room() - needed : 0;
  return std::min(limits.keep_closed_bytes, spare / 2);
}

/// What an earlier run rejected and could not forward. It is safe where it is: this run goes on
/// without.
void forward_stale(PostgresWarehouse& warehouse) {
  const ForwardResult result = warehouse.forward_stale();
  if (const auto* failed = std::get_if<ForwardFailed>(&result)) {
    log().write_with_hint(Level::warning, "forward-failed", failed->failure.message(),
                          failed->failure.hint());
  } else if (const auto count = std::get<Forwarded>(result).messages; count > 0) {
    log().write(
        Level::info, "forwarded",
        std::to_string(count) + " rejections of earlier runs went to the dead-letter queue");
  }
}

bool above(const std::optional<Threshold>& threshold, const Books& books) {
  if (!threshold) return false;
  if (!threshold->is_percent) return books.rejected > threshold->count;
  const auto judged = static_cast<double>(books.loaded + books.rejected);
  return static_cast<double>(books.rejected) * 100.0 > threshold->percent * judged;
}

/// So that many hosts with one crontab do not all call at the same second.
void wait_a_random_time(std::int64_t most_ms) {
  if (most_ms == 0) return;
  std::random_device source;
  const auto ms = std::uniform_int_distribution<std::int64_t>(0, most_ms)(source);
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

/// One run, from the first check to the last line.
class Run {
 public:
  Run(const Settings& settings, const Environment& environment);
  int to_end();

 private:
  void prepare();
  void drain();
  void conclude(const Drain& heart);
  void interrupt(int signal);
  void fail(const Failure& failure);
  void settle_status();
  void tell();
  void write_unless_refused(const std::string& option, const std::string& content) const;

  const Settings& settings_;
  Preflight preflight_;
  std::optional<std::string> recorded_;  // conninfo, once sluice.run has our row
  std::mutex telling_;
  bool told_ = false;
  Summary summary_;
  int signal_ = 0;
  Signals signals_;
};

Run::Run(const Settings& settings, const Environment& environment)
    : settings_(settings),
      preflight_(settings, environment, true,
                 [](const Finding& finding) {
                   const Level level = finding.hint.empty() ? Level::debug : Level::warning;
                   log().write_with_hint(level, "checked", finding.thing + ": " + finding.text,
                                         finding.hint);
                 }),
      signals_([this](int signal) {
        interrupt(signal);
        settle_status();
        tell();
        return summary_.exit_code;
      }) {
  summary_.facts.started = now();
  summary_.facts.run_id = random_uuid();
  summary_.facts.run_group = settings.text("run-group");
  summary_.facts.worker = worker_of(settings);
  log().set_context("run_id", summary_.facts.run_id);
  log().set_context("run_group", summary_.facts.run_group);
  log().set_context("worker", summary_.facts.worker);
}

int Run::to_end() {
  try {
    wait_a_random_time(settings_.duration_ms("start-jitter"));
    prepare();
    if (settings_.flag("dry-run")) {
      summary_.stop_reason = "dry_run";
      summary_.queue_after = preflight_.prepared().counts;
    } else {
      drain();
    }
  } catch (const CheckpointError& error) {
    fail(to_failure(error));
  } catch (const Failure& failure) {
    if (failure.fault() == Fault::usage) throw;
    fail(failure);
  }
  settle_status();
  tell();
  return summary_.exit_code;
}

void Run::prepare() {
  preflight_.read_pipeline();
  const Pipeline& pipeline = *preflight_.prepared().pipeline;
  summary_.facts.pipeline = pipeline.name;
  summary_.facts.config_sha256 = pipeline.file_sha256;
  for (const Table& table : pipeline.tables) summary_.facts.tables.push_back(table.text());
  summary_.books = Books(pipeline.tables.size());
  log().set_context("pipeline", pipeline.name);
  preflight_.run();
}

void Run::drain() {
  Prepared& made = preflight_.prepared();
  const Pipeline& pipeline = *made.pipeline;
  const std::string conninfo = settings_.text("postgres");
  SqsQueue& queue = *made.access.queue;

  Checkpoint checkpoint(made.checkpoint_path, {pipeline.name, queue.url(), made.database},
                        summary_.facts.started.wall_ms);
  {
    const std::lock_guard lock(telling_);
    summary_.facts.checkpoint_set_aside = checkpoint.set_aside();
  }
  if (!checkpoint.set_aside().empty()) {
    log().write_with_hint(
        Level::warning, "checkpoint-set-aside", checkpoint.set_aside(),
        "nothing is lost: the queue delivers again, the ledger knows what was loaded");
  }
  prepare_days(*made.connection, summary_.facts.started.wall_ms, made.facts->retention_s);
  begin_run(*made.connection, {summary_.facts.run_id, pipeline.name, summary_.facts.run_group,
                               summary_.facts.worker, summary_.facts.started.wall_ms});
  recorded_ = conninfo;
  made.connection.reset();

  Limits limits = limits_of(settings_, pipeline, *made.facts,
                            summary_.facts.started.wall_ms + queue.clock_offset_ms());
  limits.clock_offset_ms = queue.clock_offset_ms();
  limits.keep_closed_bytes = keep_closed_within_space(checkpoint, made.checkpoint_path, limits);
  const auto sealer = [&made](std::string_view bytes, const MessageKey& key) {
    Sealed sealed = seal(*made.keyring, key.id, bytes);
    return SealedRow{std::string(sealed.key_id), std::move(sealed.bytes)};
  };
  std::optional<SqsDeadLetters> dead_letters;
  Forwarding forwarding;
  if (limits.forwards) {
    dead_letters.emplace(*made.dead_letter_queue, made.dead_letter_queue_is_fifo, pipeline.name);
    forwarding.letters = &*dead_letters;
    forwarding.unseal = [&made](std::string_view key_id, const MessageId& id,
                                std::string_view bytes) {
      return unseal(*made.keyring, key_id, id, bytes);
    };
  }
  PostgresWarehouse warehouse(conninfo, pipeline, summary_.facts.run_id, sealer,
                              std::move(forwarding));
  if (limits.forwards) forward_stale(warehouse);
  WarehouseThread thread(warehouse, [&queue] { queue.wake(); });
  Drain heart(limits, *made.masker, checkpoint, pipeline.tables.size(), random_128,
              summary_.facts.started);
  Progress progress(now(), made.counts ? made.counts->visible : 0);
  signals_.hold([&queue] { queue.wake(); });
  run_to_end(heart, queue, thread, signals_,
             [&progress](const Drain& drain, Now at) { progress.look(drain, at); });
  progress.end();
  conclude(heart);
}

void Run::conclude(const Drain& heart) {
  const std::lock_guard lock(telling_);
  summary_.books = heart.books();
  summary_.stop_reason = name_of(heart.stop_reason());
  summary_.queue_after = heart.counts();
  summary_.failure = heart.failure();
  signal_ = heart.stop_reason() == StopReason::interrupted ? signals_.received() : 0;
  if (summary_.failure || signal_ != 0) summary_.queue_after.reset();
  if (!summary_.books.add_up()) {
    summary_.failure = Failure(Fault::bug, "the books do not add up: " + summary_.to_json(),
                               "report it with this line; no message is lost");
  }
}

/// A run that has told its end has ended as it told.
void Run::interrupt(int signal) {
  const std::lock_guard lock(telling_);
  if (told_) return;
  signal_ = signal;
  summary_.stop_reason = name_of(StopReason::interrupted);
}

void Run::fail(const Failure& failure) {
  const std::lock_guard lock(telling_);
  summary_.failure = failure;
}

void Run::settle_status() {
  const std::lock_guard lock(telling_);
  if (told_) return;
  const bool locked = summary_.failure && summary_.failure->fault() == Fault::locked;
  const bool nothing = !summary_.failure && summary_.books.nothing_done();
  summary_.ended = now();
  if (const auto& queue = preflight_.prepared().access.queue) {
    summary_.sqs_requests = queue->requests();
  }
  if (const auto& sender = preflight_.prepared().dead_letter_queue) {
    for (const auto& [operation, count] : sender->requests()) {
      summary_.sqs_requests[operation] += count;
    }
  }
  if (signal_ != 0) {
    summary_.status = "interrupted";
    summary_.exit_code = 128 + signal_;
  } else if (settings_.has("skip-exit-code") && (locked || nothing)) {
    summary_.status = "skipped";
    summary_.exit_code = static_cast<int>(settings_.count("skip-exit-code"));
  } else if (summary_.failure) {
    summary_.status = "failed";
    summary_.stop_reason = name_of(StopReason::error);
    summary_.exit_code = exit_status(summary_.failure->fault());
  } else {
    summary_.status = summary_.books.rejected > 0 ? "rejections" : "ok";
    const bool too_many = above(settings_.threshold("reject-threshold"), summary_.books);
    summary_.exit_code = too_many ? kExitRejections : kExitOk;
  }
}

/// After COMMIT nothing changes the exit status: a file that cannot be written is only told.
void Run::write_unless_refused(const std::string& option, const std::string& content) const {
  if (!settings_.has(option)) return;
  try {
    write_file(settings_.text(option), content, option);
  } catch (const Failure& failure) {
    log().write_with_hint(Level::warning, "not-written", failure.message(), failure.hint());
  }
}

void Run::tell() {
  const std::lock_guard lock(telling_);
  if (told_) return;
  told_ = true;
  if (summary_.failure) {
    log().write_with_hint(Level::error, name_of(summary_.failure->fault()),
                          summary_.failure->message(), summary_.failure->hint());
  }
  if (summary_.books.delete_failed > 0) {
    log().write(Level::warning, "delete-failed",
                std::to_string(summary_.books.delete_failed) +
                    " messages were not deleted; they come back and are dropped as duplicates");
  }
  if (summary_.queue_after && summary_.queue_after->in_flight > 0) {
    log().write(Level::info, "in-flight",
                std::to_string(summary_.queue_after->in_flight) +
                    " messages are in flight elsewhere; they show again when their visibility "
                    "timeout ends");
  }
  const std::string json = summary_.to_json();
  write_unless_refused("summary-file", json + "\n");
  write_unless_refused("metrics-file", to_metrics(summary_));
  if (recorded_) {
    const auto failure = end_run(*recorded_,
                                 {summary_.facts.run_id, summary_.ended.wall_ms, summary_.exit_code,
                                  std::string(summary_.stop_reason), json},
                                 signal_ == 0 ? kRecordLimitMs : kRecordLimitWhenStoppedMs);
    if (failure) log().write(Level::warning, "run-not-recorded", failure->message());
  }
  if (settings_.flag("json")) {
    print(json + "\n");
  } else if (!settings_.flag("quiet")) {
    print(summary_.to_text());
  }
}

}  // namespace

int run_command(const Settings& settings, const Environment& environment) {
  return Run(settings, environment).to_end();
}

}  // namespace sluice
