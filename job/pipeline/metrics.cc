// SPDX-License-Identifier: Apache-2.0
#include "job/pipeline/metrics.h"

#include <cstdio>
#include <vector>

namespace sluice {
namespace {

struct Sample {
  std::string labels;  // beside `pipeline`: `,result="loaded"`
  double value;
};

std::string label(std::string_view name, std::string_view value) {
  return "," + std::string(name) + "=\"" + std::string(value) + "\"";
}

class Metrics {
 public:
  explicit Metrics(const std::string& pipeline) : pipeline_(pipeline) {}

  void add(const std::string& name, std::string_view help, const std::vector<Sample>& samples) {
    text_ += "# HELP " + name + " " + std::string(help) + "\n# TYPE " + name + " gauge\n";
    for (const Sample& sample : samples) {
      char value[32];
      std::snprintf(value, sizeof value, "%.15g", sample.value);
      text_ += name + "{pipeline=\"" + pipeline_ + "\"" + sample.labels + "} " + value + "\n";
    }
  }
  std::string text() && { return std::move(text_); }

 private:
  std::string pipeline_;
  std::string text_;
};

double in_seconds(std::int64_t ms) { return static_cast<double>(ms) / 1000.0; }

}  // namespace

std::string to_metrics(const Summary& summary) {
  const Books& books = summary.books;
  Metrics metrics(summary.facts.pipeline);
  metrics.add("sluice_build_info", "The program's version.",
              {{label("version", SLUICE_VERSION), 1}});
  metrics.add("sluice_last_start_timestamp_seconds", "When the last run began.",
              {{"", in_seconds(summary.facts.started.wall_ms)}});
  metrics.add("sluice_last_completion_timestamp_seconds", "When the last run ended, well or not.",
              {{"", in_seconds(summary.ended.wall_ms)}});
  metrics.add("sluice_last_exit_code", "Exit status of the last run.",
              {{"", static_cast<double>(summary.exit_code)}});
  metrics.add("sluice_run_duration_seconds", "How long the last run took.",
              {{"", in_seconds(summary.ended.steady_ms - summary.facts.started.steady_ms)}});
  metrics.add("sluice_run_stop_reason", "Why the last run ended.",
              {{label("reason", summary.stop_reason), 1}});
  std::vector<Sample> messages;
  messages.reserve(kCounts.size());
  for (const Count& count : kCounts) {
    messages.push_back({label("result", count.name), static_cast<double>(books.*count.value)});
  }
  metrics.add("sluice_run_messages", "Messages of the last run by what became of them.", messages);
  std::vector<Sample> rows;
  for (std::size_t i = 0; i < summary.facts.tables.size() && i < books.rows.size(); ++i) {
    rows.push_back({label("table", summary.facts.tables[i]), static_cast<double>(books.rows[i])});
  }
  metrics.add("sluice_run_rows", "Rows that the last run loaded, by table.", rows);
  if (books.oldest_age_ms >= 0) {
    metrics.add("sluice_oldest_message_age_seconds", "Age of the oldest message received.",
                {{"", in_seconds(books.oldest_age_ms)}});
  }
  if (books.watermark_ms >= 0) {
    metrics.add("sluice_last_message_sent_timestamp_seconds",
                "When the newest loaded message was sent.", {{"", in_seconds(books.watermark_ms)}});
  }
  if (summary.queue_after) {
    const auto state = [](std::string_view name, std::int64_t value) {
      return Sample{label("state", name), static_cast<double>(value)};
    };
    metrics.add("sluice_queue_messages", "The queue's own counters at the end of the run.",
                {state("visible", summary.queue_after->visible),
                 state("in_flight", summary.queue_after->in_flight),
                 state("delayed", summary.queue_after->delayed)});
  }
  return std::move(metrics).text();
}

}  // namespace sluice
