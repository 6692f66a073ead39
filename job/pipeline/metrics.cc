// SPDX-License-Identifier: Apache-2.0
#include "job/pipeline/metrics.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

#include "job/base/build.h"

namespace sluice {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view kLastStart = "sluice_last_start_timestamp_seconds";
constexpr std::string_view kLastStartHelp =
    "When the last run began; after the last completion: it is under way or was killed.";

struct Sample {
  std::string labels;  // beside `pipeline` and `worker`: `,result="loaded"`
  double value;
};

std::string label(std::string_view name, std::string_view value) {
  std::string text = "," + std::string(name) + "=\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    text += c == '\n' ? "\\n" : std::string(1, c);
  }
  return text + "\"";
}

class Metrics {
 public:
  explicit Metrics(const RunFacts& facts)
      : common_(label("pipeline", facts.pipeline).substr(1) + label("worker", facts.worker)) {}

  std::string series(std::string_view name, std::string_view labels = "") const {
    return std::string(name) + "{" + common_ + std::string(labels) + "}";
  }
  void add(std::string_view name, std::string_view help, const std::vector<Sample>& samples) {
    const std::string named(name);
    text_ += "# HELP " + named + " " + std::string(help) + "\n# TYPE " + named + " gauge\n";
    for (const Sample& sample : samples) {
      char value[32] = "NaN";
      if (!std::isnan(sample.value)) std::snprintf(value, sizeof value, "%.15g", sample.value);
      text_ += series(name, sample.labels) + " " + value + "\n";
    }
  }
  void add(std::string_view name, std::string_view help, double value) {
    add(name, help, std::vector<Sample>{{"", value}});
  }
  std::string text() && { return std::move(text_); }

 private:
  std::string common_;
  std::string text_;
};

double in_seconds(std::int64_t ms) { return static_cast<double>(ms) / 1000.0; }

double seconds_or_unknown(std::int64_t ms) { return ms < 0 ? kUnknown : in_seconds(ms); }

template <typename Number>
Sample sample(std::string_view name, std::string_view value, Number number) {
  return {label(name, value), static_cast<double>(number)};
}

void add_last_run(Metrics& metrics, const Summary& summary) {
  metrics.add("sluice_build_info", "The program of the last run.",
              {{label("version", SLUICE_VERSION) + label("commit", build_commit()), 1}});
  metrics.add(kLastStart, kLastStartHelp, in_seconds(summary.facts.started.wall_ms));
  metrics.add("sluice_last_completion_timestamp_seconds", "When the last run ended, well or not.",
              in_seconds(summary.ended.wall_ms));
  metrics.add("sluice_last_exit_code", "Exit status of the last run.", summary.exit_code);
  metrics.add("sluice_run_duration_seconds", "How long the last run took.",
              in_seconds(summary.ended.steady_ms - summary.facts.started.steady_ms));
  metrics.add("sluice_run_stop_reason", "Why the last run ended.",
              {sample("reason", summary.stop_reason, 1)});
}

void add_messages(Metrics& metrics, const Summary& summary) {
  const Books& books = summary.books;
  std::vector<Sample> messages;
  messages.reserve(kCounts.size());
  for (const Count& count : kCounts) {
    messages.push_back(sample("result", count.name, books.*count.value));
  }
  metrics.add("sluice_run_messages", "Messages of the last run by what became of them.", messages);
  std::vector<Sample> rows;
  for (std::size_t i = 0; i < summary.facts.tables.size() && i < books.rows.size(); ++i) {
    rows.push_back(sample("table", summary.facts.tables[i], books.rows[i]));
  }
  metrics.add("sluice_run_rows", "Rows that the last run loaded, by table.", rows);
  // The age of what lay in an archive tells nothing of a queue.
  const bool is_archive = summary.facts.source == kArchive;
  metrics.add("sluice_oldest_message_age_seconds",
              "Age of the oldest message received; NaN when there was none.",
              is_archive ? kUnknown : seconds_or_unknown(books.oldest_age_ms));
  metrics.add("sluice_last_message_sent_timestamp_seconds",
              "When the newest message loaded was sent; NaN when none was.",
              seconds_or_unknown(books.watermark_ms));
  const auto& after = summary.queue_after;
  const auto state = [&after](std::string_view name, std::int64_t QueueCounts::*count) {
    return Sample{label("state", name), after ? static_cast<double>(*after.*count) : kUnknown};
  };
  metrics.add("sluice_queue_messages",
              "The queue's own counters at the end of the run; NaN when it could not tell.",
              {state("visible", &QueueCounts::visible), state("in_flight", &QueueCounts::in_flight),
               state("delayed", &QueueCounts::delayed)});
}

void add_measures(Metrics& metrics, const Summary& summary) {
  const Measures& measures = summary.measures;
  std::vector<Sample> stages;
  stages.reserve(kStageTimes.size());
  for (const StageTime& stage : kStageTimes) {
    stages.push_back(sample("stage", stage.name, static_cast<double>(measures.*stage.ns) / 1e9));
  }
  metrics.add("sluice_stage_duration_seconds",
              "Time of the last run by stage; stages overlap. receive, delete: with such a call "
              "under way, waiting too; the others: at work.",
              stages);
  metrics.add(
      "sluice_run_bytes",
      "in: bodies received. out: masked rows and sealed rejections of the windows committed.",
      {sample("direction", "in", measures.bytes_in),
       sample("direction", "out", measures.bytes_out)});
  std::vector<Sample> values;
  for (const auto& [method, count] : measures.masked_values) {
    values.push_back(sample("method", method, count));
  }
  metrics.add("sluice_run_masked_values", "Values that the last run masked, by method.", values);
  metrics.add("sluice_run_unmapped_fields",
              "Distinct top-level fields of bodies that no column takes, at most 100.",
              static_cast<double>(measures.unmapped_fields));
}

void add_calls(Metrics& metrics, const Summary& summary) {
  Requests requests{{"ReceiveMessage", {}}, {"DeleteMessageBatch", {}}};
  for (const auto& [operation, traffic] : summary.sqs_requests) requests[operation] = traffic;
  std::vector<Sample> outcomes;
  for (const auto& [operation, traffic] : requests) {
    const auto outcome = [&, api = label("api", operation)](std::string_view name,
                                                            std::uint64_t count) {
      outcomes.push_back({api + label("outcome", name), static_cast<double>(count)});
    };
    outcome("ok", traffic.ok);
    outcome("failed", traffic.failed);
    outcome("abandoned", traffic.sent - traffic.ok - traffic.failed);
  }
  metrics.add("sluice_run_api_requests", "Requests to SQS, by what became of them.", outcomes);
  metrics.add("sluice_run_retries",
              "sqs: requests sent again. postgres: load transactions begun again.",
              {sample("target", "sqs", summary.sqs_retries()),
               sample("target", "postgres", summary.measures.load_retries)});
}

}  // namespace

std::string to_metrics(const Summary& summary) {
  Metrics metrics(summary.facts);
  add_last_run(metrics, summary);
  add_messages(metrics, summary);
  add_measures(metrics, summary);
  add_calls(metrics, summary);
  return std::move(metrics).text();
}

std::string to_success_metrics(const Summary& summary) {
  Metrics metrics(summary.facts);
  metrics.add("sluice_last_success_timestamp_seconds",
              "When a run last ended with all that was asked of it done.",
              in_seconds(summary.ended.wall_ms));
  return std::move(metrics).text();
}

std::string with_start(std::string_view previous, const RunFacts& facts) {
  Metrics metrics(facts);
  metrics.add(kLastStart, kLastStartHelp, in_seconds(facts.started.wall_ms));
  const std::string series = "\n" + metrics.series(kLastStart) + " ";
  std::string started = std::move(metrics).text();
  const std::size_t at = previous.find(series);
  if (at == std::string_view::npos) return started;
  const std::string line = started.substr(started.find(series));
  const std::size_t end = std::min(previous.find('\n', at + 1), previous.size() - 1);
  return std::string(previous.substr(0, at)) + line + std::string(previous.substr(end + 1));
}

}  // namespace sluice
