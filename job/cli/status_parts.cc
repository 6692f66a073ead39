// SPDX-License-Identifier: Apache-2.0
#include "job/cli/status_parts.h"

#include "job/base/clock.h"
#include "job/cli/status_look.h"
#include "job/warehouse/connection.h"
#include "job/warehouse/run_log.h"
#include "job/warehouse/schema.h"

namespace sluice {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

// Somebody waits for the answer, and the rest of it is worth seeing.
constexpr std::int64_t kConnectLimitMs = 10'000;

std::string_view name_of(WindowState state) {
  switch (state) {
    case WindowState::open:
      return "open";
    case WindowState::sealed:
      return "sealed";
    case WindowState::loaded:
      return "loaded";
    case WindowState::closed:
      return "closed";
  }
  return "";
}

value or_null(const std::string& text) { return text.empty() ? value(nullptr) : value(text); }

object to_json(const RunRecord& run) {
  object shown{{"run_id", run.run_id},
               {"run_group", run.run_group},
               {"worker", run.worker},
               {"started_at", run.started_at},
               {"ended_at", run.ended_at},
               {"state", run.ended_at.empty() ? "not ended" : "ended"},
               {"stop_reason", run.stop_reason},
               {"exit_code", nullptr},
               {"so_far", nullptr}};
  if (run.exit_code) shown["exit_code"] = *run.exit_code;
  boost::json::error_code error;
  const value summary = boost::json::parse(run.summary, error);
  for (const char* name : {"counts", "status", "duration_s", "source", "oldest_message_age_s",
                           "watermark", "queue_after", "error"}) {
    shown[name] = look(summary, "/" + std::string(name));
  }
  if (run.so_far) {
    shown["so_far"] = {{"windows", run.so_far->windows},
                       {"loaded", run.so_far->loaded},
                       {"duplicate", run.so_far->duplicate},
                       {"rejected", run.so_far->rejected},
                       {"rows", run.so_far->rows},
                       {"newest_sent_at", or_null(run.so_far->newest_sent_at)}};
  }
  return shown;
}

}  // namespace

void add_postgres(const std::string& conninfo, const std::string& pipeline, int runs,
                  object& status) try {
  const Interrupt interrupt;
  Connection connection(conninfo, interrupt, kConnectLimitMs);
  for (const Finding& finding : check_schema(connection)) {
    // Whoever may only read lacks rights that a run needs, and a standby can be read.
    if (!finding.ok && finding.fault == Fault::configuration) throw to_failure(finding);
  }
  array last;
  for (const RunRecord& run : last_runs(connection, pipeline, runs)) last.push_back(to_json(run));
  array rejections;
  for (const RejectionCount& each : rejections_by_reason(connection, pipeline)) {
    rejections.push_back({{"reason", each.reason},
                          {"field", each.field},
                          {"sqlstate", each.sqlstate},
                          {"messages", each.messages},
                          {"last_day", each.last_day},
                          {"to_forward", each.to_forward},
                          {"newest", each.newest}});
  }
  status["runs"] = std::move(last);
  status["rejections"] = std::move(rejections);
} catch (const PostgresError& error) {
  if (!error.is("42501")) throw;
  throw Failure(error.fault(), error.message(), "grant sluice_reader to the user of this command");
}

CheckpointGlance glance_of(const std::string& path, const std::string& pipeline) {
  CheckpointGlance glance = glance_at(path);
  if (!glance.trouble.empty() && !glance.heals) {
    throw Failure(Fault::configuration, glance.trouble,
                  "ask as the user who runs sluice, with the same version of it");
  }
  if (glance.readable() && glance.owner.pipeline != pipeline) {
    throw Failure(Fault::configuration,
                  "checkpoint " + path + ": belongs to pipeline '" + glance.owner.pipeline + "'",
                  "name this pipeline's with --checkpoint");
  }
  return glance;
}

object to_json(const std::string& path, const CheckpointGlance& glance) {
  array windows;
  for (const Window& window : glance.windows) {
    windows.push_back({{"state", name_of(window.state)},
                       {"messages", window.messages},
                       {"set_aside", window.set_aside},
                       {"oldest_sent_at", rfc3339(window.oldest_sent_ms)}});
  }
  object shown{{"path", path},
               {"exists", glance.exists},
               {"in_use_by", glance.holder},
               {"problem", or_null(glance.trouble)},
               {"replaced_by_next_run", glance.heals},
               {"windows", windows},
               {"undeleted", nullptr},
               {"closed", nullptr}};
  if (glance.readable() || !glance.exists) {
    shown["undeleted"] = glance.undeleted.size();
    shown["closed"] = {{"windows", glance.closed}, {"messages", glance.closed_messages}};
  }
  return shown;
}

void add_queue(SqsQueue& queue, object& status) {
  queue.resolve();
  const QueueCounts counts = queue.counts();
  status["queue"] = {
      {"visible", counts.visible}, {"in_flight", counts.in_flight}, {"delayed", counts.delayed}};
}

}  // namespace sluice
