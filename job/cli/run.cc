// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <random>
#include <thread>

#include "job/base/file.h"
#include "job/base/log.h"
#include "job/base/random.h"
#include "job/cli/command.h"
#include "job/cli/dead_letters.h"
#include "job/cli/preflight.h"
#include "job/cli/run_report.h"
#include "job/mask/seal.h"
#include "job/pipeline/checkpoint_failure.h"
#include "job/pipeline/event_loop.h"
#include "job/pipeline/progress.h"
#include "job/warehouse/ledger_days.h"
#include "job/warehouse/postgres_warehouse.h"

namespace sluice {
namespace {

constexpr int kDefaultVisibilityS = 120;

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
  RunReport::Requests requests();

  const Settings& settings_;
  Preflight preflight_;
  RunReport report_;
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
      report_(settings, [this] { return requests(); }),
      signals_([this](int signal) {
        report_.interrupt(signal);
        return report_.tell();
      }) {}

RunReport::Requests Run::requests() {
  RunReport::Requests all;
  if (const auto& queue = preflight_.prepared().access.queue) all = queue->requests();
  if (const auto& sender = preflight_.prepared().dead_letter_queue) {
    for (const auto& [operation, count] : sender->requests()) all[operation] += count;
  }
  return all;
}

int Run::to_end() {
  try {
    wait_a_random_time(settings_.duration_ms("start-jitter"));
    prepare();
    if (settings_.flag("dry-run")) {
      report_.conclude_dry_run(preflight_.prepared().counts);
    } else {
      drain();
    }
  } catch (const CheckpointError& error) {
    report_.fail(to_failure(error));
  } catch (const Failure& failure) {
    if (failure.fault() == Fault::usage) throw;
    report_.fail(failure);
  }
  return report_.tell();
}

void Run::prepare() {
  preflight_.read_pipeline();
  report_.name_pipeline(*preflight_.prepared().pipeline);
  preflight_.run();
}

void Run::drain() {
  Prepared& made = preflight_.prepared();
  const Pipeline& pipeline = *made.pipeline;
  const std::string conninfo = settings_.text("postgres");
  SqsQueue& queue = *made.access.queue;

  const Now started = report_.facts().started;

  Checkpoint checkpoint(made.checkpoint_path, {pipeline.name, queue.url(), made.database},
                        started.wall_ms);
  report_.checkpoint_set_aside(checkpoint.set_aside());
  prepare_days(*made.connection, started.wall_ms, made.facts->retention_s);
  report_.record_start(*made.connection, conninfo);
  made.connection.reset();

  Limits limits =
      limits_of(settings_, pipeline, *made.facts, started.wall_ms + queue.clock_offset_ms());
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
  PostgresWarehouse warehouse(conninfo, pipeline, report_.facts().run_id, sealer,
                              std::move(forwarding));
  if (limits.forwards) forward_stale(warehouse);
  WarehouseThread thread(warehouse, [&queue] { queue.wake(); });
  Drain heart(limits, *made.masker, checkpoint, pipeline.tables.size(), random_128, started);
  Progress progress(now(), made.counts ? made.counts->visible : 0);
  signals_.hold([&queue] { queue.wake(); });
  run_to_end(heart, queue, thread, signals_,
             [&progress](const Drain& drain, Now at) { progress.look(drain, at); });
  progress.end();
  report_.conclude(heart, signals_.received());
}

}  // namespace

int run_command(const Settings& settings, const Environment& environment) {
  return Run(settings, environment).to_end();
}

}  // namespace sluice
