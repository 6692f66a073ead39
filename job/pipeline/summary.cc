// SPDX-License-Identifier: Apache-2.0
#include "job/pipeline/summary.h"

#include <cstdio>

#include <boost/json.hpp>

#include "job/base/text.h"

namespace sluice {
namespace {

constexpr int kSchemaVersion = 1;

std::string seconds(double ms) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", ms / 1000.0);
  return text;
}

std::string stages(const Measures& measures) {
  std::string json;
  for (const StageTime& stage : kStageTimes) {
    json += json.empty() ? "{\"" : ",\"";
    json += std::string(stage.name) + "\":";
    json += seconds(static_cast<double>(measures.*stage.ns) / 1e6);
  }
  return json + "}";
}

boost::json::value text_or_null(const std::string& text) {
  if (text.empty()) return nullptr;
  return boost::json::value(text);
}

boost::json::value age_in_seconds(std::int64_t ms) {
  if (ms < 0) return nullptr;
  return ms / 1000;
}

/// JSON allows any character in a string to stand as \uXXXX: what Boost.JSON leaves as UTF-8
/// becomes ASCII.
std::string to_ascii(const std::string& json) {
  std::string out;
  for (std::size_t i = 0; i < json.size();) {
    const auto first = static_cast<unsigned char>(json[i]);
    if (first < 0x80) {
      out += json[i++];
      continue;
    }
    const int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    std::uint32_t point = first & (0x3fU >> more);
    for (int k = 1; k <= more && i + k < json.size(); ++k) {
      point = point << 6 | (static_cast<unsigned char>(json[i + k]) & 0x3fU);
    }
    i += 1 + more;
    char text[16];
    if (point >= 0x10000) {
      std::snprintf(text, sizeof text, "\\u%04x\\u%04x", 0xd7c0U + (point >> 10),
                    0xdc00U + (point & 0x3ffU));
    } else {
      std::snprintf(text, sizeof text, "\\u%04x", point);
    }
    out += text;
  }
  return out;
}

}  // namespace

std::string_view name_of(StopReason reason) {
  switch (reason) {
    case StopReason::drained:
      return "drained";
    case StopReason::max_messages:
      return "max_messages";
    case StopReason::max_runtime:
      return "max_runtime";
    case StopReason::interrupted:
      return "interrupted";
    case StopReason::error:
      return "error";
  }
  return "error";
}

bool Summary::succeeded() const {
  return !failure && (status == "skipped" || exit_code == kExitOk);
}

std::uint64_t Summary::sqs_retries() const {
  std::uint64_t retries = 0;
  for (const auto& [operation, traffic] : sqs_requests) retries += traffic.repeated;
  return retries;
}

std::string Summary::to_json() const {
  boost::json::object rows;
  for (std::size_t i = 0; i < facts.tables.size() && i < books.rows.size(); ++i) {
    rows[facts.tables[i]] = books.rows[i];
  }
  boost::json::object requests{{"ReceiveMessage", 0}, {"DeleteMessageBatch", 0}};
  for (const auto& [operation, traffic] : sqs_requests) requests[operation] = traffic.sent;
  boost::json::value queue = nullptr;
  if (queue_after) {
    queue = {{"visible", queue_after->visible},
             {"in_flight", queue_after->in_flight},
             {"delayed", queue_after->delayed}};
  }
  boost::json::value error = nullptr;
  if (failure) {
    error = {{"fault", name_of(failure->fault())},
             {"message", failure->message()},
             {"hint", failure->hint()}};
  }
  boost::json::object counts;
  for (const Count& count : kCounts) counts[count.name] = books.*count.value;
  counts["rows"] = rows;
  counts["windows"] = books.windows;
  counts["sqs_requests"] = requests;
  boost::json::object masked;
  for (const auto& [method, values] : measures.masked_values) masked[method] = values;
  const std::int64_t duration_ms = ended.steady_ms - facts.started.steady_ms;
  const boost::json::object all{
      {"schema_version", kSchemaVersion},
      {"run_id", facts.run_id},
      {"run_group", facts.run_group},
      {"worker", facts.worker},
      {"pipeline", facts.pipeline},
      {"source", facts.source},
      {"trace_id", text_or_null(facts.trace_id)},
      {"status", status},
      {"stop_reason", stop_reason},
      {"exit_code", exit_code},
      {"started_at", rfc3339(facts.started.wall_ms)},
      {"ended_at", rfc3339(ended.wall_ms)},
      {"counts", counts},
      {"oldest_message_age_s", age_in_seconds(books.oldest_age_ms)},
      {"watermark", books.watermark_ms < 0 ? boost::json::value(nullptr)
                                           : boost::json::value(rfc3339(books.watermark_ms))},
      {"queue_after", queue},
      {"bytes", {{"in", measures.bytes_in}, {"out", measures.bytes_out}}},
      {"masked_values", masked},
      {"unmapped_fields", measures.unmapped_fields},
      {"retries", {{"sqs", sqs_retries()}, {"postgres", measures.load_retries}}},
      {"checkpoint_set_aside", text_or_null(facts.checkpoint_set_aside)},
      {"error", error},
      {"version", SLUICE_VERSION},
      {"config_sha256", facts.config_sha256},
  };
  std::string json = boost::json::serialize(all);
  // Boost.JSON would write 3.16E-1 where people read 0.316.
  const std::string times = "\"duration_s\":" + seconds(static_cast<double>(duration_ms)) +
                            ",\"stages\":" + stages(measures) + ",";
  json.insert(json.find("\"counts\":"), times);
  return to_ascii(json);
}

std::string Summary::to_text() const {
  std::string text;
  const auto line = [&text](std::string_view name, std::uint64_t count, std::string_view about) {
    char buffer[160];
    std::snprintf(buffer, sizeof buffer, "  %-12.*s %12llu  %.*s\n", static_cast<int>(name.size()),
                  name.data(), static_cast<unsigned long long>(count),
                  static_cast<int>(about.size()), about.data());
    text += buffer;
  };
  const std::int64_t ms = std::max<std::int64_t>(1, ended.steady_ms - facts.started.steady_ms);
  text += "run " + facts.run_id + ": " + std::string(status) + " (" + std::string(stop_reason) +
          "), exit " + std::to_string(exit_code) + ", " + seconds(static_cast<double>(ms)) + " s\n";
  if (!facts.checkpoint_set_aside.empty())
    text += "  set aside: " + facts.checkpoint_set_aside + "\n";
  if (failure && books.nothing_done()) return text;
  for (const Count& count : kCounts) {
    if (facts.source == kArchive && count.value == &Books::deleted) continue;
    if (count.always || books.*count.value > 0) line(count.name, books.*count.value, count.about);
  }
  for (std::size_t i = 0; i < facts.tables.size() && i < books.rows.size(); ++i) {
    line("rows", books.rows[i], facts.tables[i]);
  }
  if (queue_after)
    line("in queue", static_cast<std::uint64_t>(queue_after->visible), "left, visible");
  return text;
}

}  // namespace sluice
