// SPDX-License-Identifier: Apache-2.0
#include "job/cli/run_report.h"

#include <vector>

#include "job/base/file.h"
#include "job/base/log.h"
#include "job/base/random.h"
#include "job/cli/command.h"
#include "job/cli/setup.h"
#include "job/config/column_type.h"
#include "job/warehouse/run_log.h"

namespace sluice {
namespace {

// `end_run` may take twice as long; a stop has 5 s in all.
constexpr std::int64_t kRecordLimitMs = 1'500;
constexpr std::int64_t kRecordLimitWhenStoppedMs = 600;

bool above(const std::optional<Threshold>& threshold, const Books& books) {
  if (!threshold) return false;
  if (!threshold->is_percent) return books.rejected > threshold->count;
  const auto judged = static_cast<double>(books.loaded + books.rejected);
  return static_cast<double>(books.rejected) * 100.0 > threshold->percent * judged;
}

}  // namespace

RunReport::RunReport(const Settings& settings, const Environment& environment,
                     std::string_view source, std::function<Requests()> requests)
    : settings_(settings),
      metrics_files_(settings),
      announcements_(settings, environment),
      requests_(std::move(requests)) {
  summary_.facts.source = source;
  summary_.facts.started = now();
  summary_.facts.run_id = random_uuid();
  summary_.facts.run_group = settings.text("run-group");
  summary_.facts.worker = worker_of(settings);
  log().set_context("run_id", summary_.facts.run_id);
  log().set_context("run_group", summary_.facts.run_group);
  log().set_context("worker", summary_.facts.worker);
  if (const auto& trace = announcements_.trace()) {
    summary_.facts.trace_id = trace->trace_id;
    log().set_context("trace_id", trace->trace_id);
  }
}

void RunReport::name_pipeline(const Pipeline& pipeline) {
  const std::lock_guard lock(mutex_);
  summary_.facts.pipeline = pipeline.name;
  summary_.facts.config_sha256 = pipeline.file_sha256;
  for (const Table& table : pipeline.tables) {
    summary_.facts.tables.push_back(table.text());
    for (const Column& column : table.columns) {
      if (column.mask) summary_.measures.masked_values[word_of(column.mask->method).word] = 0;
    }
  }
  summary_.books = Books(pipeline.tables.size());
  lineage_.tables = pipeline.tables;
  log().set_context("pipeline", pipeline.name);
}

void RunReport::checkpoint_set_aside(const std::string& what) {
  if (what.empty()) return;
  const std::lock_guard lock(mutex_);
  summary_.facts.checkpoint_set_aside = what;
  log().write_with_hint(
      Level::warning, "checkpoint-set-aside", what,
      "nothing is lost: the queue delivers again, the ledger knows what was loaded");
}

void RunReport::record_start(Connection& connection, const std::string& conninfo,
                             std::vector<Dataset> inputs) {
  const RunFacts& facts = summary_.facts;
  begin_run(connection,
            {facts.run_id, facts.pipeline, facts.run_group, facts.worker, facts.started.wall_ms});
  {
    const std::lock_guard lock(mutex_);
    recorded_ = conninfo;
    metrics_files_.begun(facts);
    const Connection::Place& place = connection.place();
    lineage_.database = postgres_dataset(place.host, place.port, place.database);
    lineage_.inputs = std::move(inputs);
  }
  // Not under the lock: a signal that comes meanwhile ends the run.
  announcements_.started(facts, lineage_);
}

void RunReport::conclude_dry_run(const std::optional<QueueCounts>& counts) {
  const std::lock_guard lock(mutex_);
  summary_.stop_reason = "dry_run";
  summary_.queue_after = counts;
}

void RunReport::conclude(const Drain& heart, int signal) {
  const std::lock_guard lock(mutex_);
  summary_.books = heart.books();
  summary_.measures = heart.measures();
  summary_.stop_reason = name_of(heart.stop_reason());
  summary_.queue_after = heart.counts();
  summary_.failure = heart.failure();
  signal_ = heart.stop_reason() == StopReason::interrupted ? signal : 0;
  if (summary_.failure || signal_ != 0) summary_.queue_after.reset();
  if (summary_.facts.source == kArchive) {
    // Its records stay where they are, how many are left was an estimate, and no age is a delay.
    summary_.books.deleted = 0;
    summary_.books.oldest_age_ms = -1;
    summary_.queue_after.reset();
  }
  if (!summary_.books.add_up()) {
    summary_.failure = Failure(Fault::bug, "the books do not add up: " + summary_.to_json(),
                               "report it with this line; no message is lost");
  }
}

void RunReport::fail(const Failure& failure) {
  const std::lock_guard lock(mutex_);
  summary_.failure = failure;
}

void RunReport::interrupt(int signal) {
  const std::lock_guard lock(mutex_);
  // A run that has told its end has ended as it told.
  if (told_) return;
  signal_ = signal;
  summary_.stop_reason = name_of(StopReason::interrupted);
}

void RunReport::settle_status() {
  const bool locked = summary_.failure && summary_.failure->fault() == Fault::locked;
  const bool nothing = !summary_.failure && summary_.books.nothing_done();
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
void RunReport::write_unless_refused(const std::string& option, const std::string& content) const {
  if (!settings_.has(option)) return;
  try {
    write_file(settings_.text(option), content, option);
  } catch (const Failure& failure) {
    log().write_with_hint(Level::warning, "not-written", failure.message(), failure.hint());
  }
}

void RunReport::log_end() const {
  if (summary_.failure) {
    // Whoever asked to skip when the checkpoint is in use has said that it is no error.
    const Level level = summary_.status == "skipped" ? Level::info : Level::error;
    log().write_with_hint(level, name_of(summary_.failure->fault()), summary_.failure->message(),
                          summary_.failure->hint());
  }
  if (summary_.exit_code == kExitRejections) {
    log().write_with_hint(Level::error, "rejections",
                          std::to_string(summary_.books.rejected) +
                              " messages were rejected, more than --reject-threshold allows",
                          "look at sluice.rejected_message; the good rows are loaded");
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
  // In text, for people, the report itself follows.
  if (log().format() == LogFormat::json) {
    std::vector<LogField> fields = {{"status", summary_.status},
                                    {"stop_reason", summary_.stop_reason},
                                    {"exit_code", std::int64_t{summary_.exit_code}}};
    for (const Count& count : kCounts) {
      fields.push_back({count.name, static_cast<std::int64_t>(summary_.books.*count.value)});
    }
    log().write(Level::info, "ended", "the run ended", fields);
  }
}

int RunReport::tell() {
  const std::lock_guard lock(mutex_);
  if (told_) return summary_.exit_code;
  told_ = true;
  summary_.ended = now();
  summary_.sqs_requests = requests_();
  settle_status();
  log_end();
  const std::string json = summary_.to_json();
  write_unless_refused("summary-file", json + "\n");
  metrics_files_.ended(summary_);
  if (recorded_) {
    const auto failure = end_run(*recorded_,
                                 {summary_.facts.run_id, summary_.ended.wall_ms, summary_.exit_code,
                                  std::string(summary_.stop_reason), json},
                                 signal_ == 0 ? kRecordLimitMs : kRecordLimitWhenStoppedMs);
    if (failure) log().write(Level::warning, "run-not-recorded", failure->message());
  }
  if (!settings_.flag("dry-run")) {
    announcements_.ended(summary_, recorded_ ? &lineage_ : nullptr);
  }
  log().end();
  if (settings_.flag("json")) {
    print(json + "\n");
  } else if (!settings_.flag("quiet")) {
    print(summary_.to_text());
  }
  return summary_.exit_code;
}

}  // namespace sluice
