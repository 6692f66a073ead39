// SPDX-License-Identifier: Apache-2.0
#include "job/cli/one_run.h"

#include <algorithm>
#include <random>
#include <thread>

#include "job/base/file.h"
#include "job/base/log.h"
#include "job/base/random.h"
#include "job/mask/seal.h"
#include "job/pipeline/checkpoint_failure.h"
#include "job/pipeline/event_loop.h"
#include "job/pipeline/progress.h"
#include "job/warehouse/postgres_warehouse.h"

namespace sluice {
namespace {

Limits limits_of(const Settings& settings) {
  Limits limits;
  limits.max_messages = static_cast<std::uint64_t>(settings.count("max-messages"));
  limits.max_runtime_ms = settings.duration_ms("max-runtime");
  limits.window_messages = static_cast<std::uint32_t>(settings.count("window-messages"));
  limits.window_bytes = static_cast<std::uint64_t>(settings.bytes("window-bytes"));
  limits.window_time_ms = settings.duration_ms("window-time");
  limits.in_flight_cap = static_cast<std::uint64_t>(settings.count("in-flight-cap"));
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
  Run(const Settings& settings, const Environment& environment, Intake& intake);
  int to_end();

 private:
  void prepare();
  void drain();

  const Settings& settings_;
  Intake& intake_;
  Preflight preflight_;
  RunReport report_;
  Signals signals_;
};

Run::Run(const Settings& settings, const Environment& environment, Intake& intake)
    : settings_(settings),
      intake_(intake),
      preflight_(settings, environment, true,
                 [](const Finding& finding) {
                   const Level level = finding.hint.empty() ? Level::debug : Level::warning;
                   log().write_with_hint(level, "checked", finding.thing + ": " + finding.text,
                                         finding.hint);
                 }),
      report_(settings, environment, intake.name(),
              [this] { return intake_.requests(preflight_.prepared()); }),
      signals_([this](int signal) {
        report_.interrupt(signal);
        return report_.tell();
      }) {}

int Run::to_end() {
  try {
    wait_a_random_time(settings_.duration_ms("start-jitter"));
    prepare();
    if (settings_.flag("dry-run")) {
      intake_.dry_run(preflight_.prepared(), report_);
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
  preflight_.run(intake_.is_queue());
}

void Run::drain() {
  Prepared& made = preflight_.prepared();
  const Pipeline& pipeline = *made.pipeline;
  const std::string conninfo = settings_.text("postgres");
  const Now started = report_.facts().started;

  Checkpoint checkpoint(made.checkpoint_path,
                        {pipeline.name, intake_.identity(made), made.database}, started.wall_ms);
  report_.checkpoint_set_aside(checkpoint.set_aside());
  intake_.open(made, started);
  Queue& queue = intake_.queue();
  report_.record_start(*made.connection, conninfo, intake_.datasets(made));
  made.connection.reset();

  Limits limits = limits_of(settings_);
  intake_.bound(limits, made);
  limits.keep_closed_bytes = keep_closed_within_space(checkpoint, made.checkpoint_path, limits);
  const auto sealer = [&made](std::string_view bytes, const MessageKey& key) {
    Sealed sealed = seal(*made.keyring, key.id, bytes);
    return SealedRow{std::string(sealed.key_id), std::move(sealed.bytes)};
  };
  PostgresWarehouse warehouse(conninfo, pipeline, report_.facts().run_id, sealer,
                              intake_.forwarding(made));
  if (limits.forwards) forward_stale(warehouse);
  WarehouseThread thread(warehouse, [&queue] { queue.wake(); });
  Drain heart(limits, *made.masker, checkpoint, pipeline.tables.size(), random_128, started);
  Progress progress(now(), intake_.visible(made));
  signals_.hold([&queue] { queue.wake(); });
  run_to_end(heart, queue, thread, signals_,
             [&progress](const Drain& drain, Now at) { progress.look(drain, at); });
  progress.end();
  intake_.end(heart);
  report_.conclude(heart, signals_.received());
}

}  // namespace

int run_to_the_last_line(const Settings& settings, const Environment& environment, Intake& intake) {
  return Run(settings, environment, intake).to_end();
}

}  // namespace sluice
