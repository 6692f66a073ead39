// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>

#include "checkpoint/checkpoint.h"
#include "job/base/log.h"
#include "job/base/text.h"
#include "job/cli/command.h"
#include "job/cli/setup.h"
#include "job/warehouse/connection.h"
#include "job/warehouse/run_log.h"
#include "job/warehouse/schema.h"

namespace sluice {
namespace {

constexpr int kRuns = 10;

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

boost::json::array runs_of(Connection& connection, const std::string& pipeline) {
  boost::json::array all;
  for (const RunRecord& run : last_runs(connection, pipeline, kRuns)) {
    boost::json::object shown{{"run_id", run.run_id},     {"run_group", run.run_group},
                              {"worker", run.worker},     {"started_at", run.started_at},
                              {"ended_at", run.ended_at}, {"stop_reason", run.stop_reason},
                              {"exit_code", nullptr},     {"counts", nullptr}};
    if (run.exit_code) shown["exit_code"] = *run.exit_code;
    boost::json::error_code error;
    const auto summary = boost::json::parse(run.summary, error);
    if (!error && summary.is_object() && summary.as_object().contains("counts")) {
      shown["counts"] = summary.as_object().at("counts");
    }
    all.push_back(std::move(shown));
  }
  return all;
}

boost::json::array rejections_of(Connection& connection, const std::string& pipeline) {
  boost::json::array all;
  for (const RejectionCount& each : rejections_by_reason(connection, pipeline)) {
    all.push_back({{"reason", each.reason},
                   {"field", each.field},
                   {"sqlstate", each.sqlstate},
                   {"messages", each.messages},
                   {"newest", each.newest}});
  }
  return all;
}

boost::json::object checkpoint_of(const std::string& path) {
  const CheckpointGlance glance = glance_at(path);
  boost::json::array windows;
  for (const Window& window : glance.windows) {
    windows.push_back({{"state", name_of(window.state)},
                       {"messages", window.messages},
                       {"set_aside", window.set_aside}});
  }
  return {{"path", path},
          {"exists", glance.exists},
          {"in_use_by", glance.holder},
          {"windows", windows}};
}

/// Null when the queue cannot be asked: everything else is worth seeing all the same.
boost::json::value queue_of_status(const Settings& settings, const Environment& environment,
                                   const Pipeline& pipeline) {
  try {
    const QueueAccess access = queue_of(settings, environment, pipeline);
    access.queue->resolve();
    const QueueCounts counts = access.queue->counts();
    return {
        {"visible", counts.visible}, {"in_flight", counts.in_flight}, {"delayed", counts.delayed}};
  } catch (const Failure& failure) {
    log().write_with_hint(Level::warning, "queue-unknown", failure.message(), failure.hint());
    return nullptr;
  }
}

std::string cell(const boost::json::value& value, std::size_t width) {
  std::string text;
  if (value.is_string())
    text = value.as_string().c_str();
  else if (!value.is_null())
    text = boost::json::serialize(value);
  text = printable(text, 60);
  text.resize(std::max(width, text.size() + 1), ' ');
  return text;
}

void show(const boost::json::object& status) {
  print(
      "last runs\n  started                  ended                    exit  received   loaded   "
      "rejected  worker\n");
  for (const auto& each : status.at("runs").as_array()) {
    const auto& run = each.as_object();
    const auto count = [&run](const char* name) -> boost::json::value {
      return run.at("counts").is_object() ? run.at("counts").as_object().at(name) : nullptr;
    };
    const bool ended = !run.at("ended_at").as_string().empty();
    print("  " + cell(run.at("started_at"), 25) +
          cell(ended ? run.at("ended_at") : "not ended", 25) + cell(run.at("exit_code"), 6) +
          cell(count("received"), 11) + cell(count("loaded"), 9) + cell(count("rejected"), 10) +
          cell(run.at("worker"), 1) + "\n");
  }
  const auto& checkpoint = status.at("checkpoint").as_object();
  print("unfinished windows in " + std::string(checkpoint.at("path").as_string().c_str()) + "\n");
  if (!checkpoint.at("in_use_by").as_string().empty()) {
    print("  in use by " + cell(checkpoint.at("in_use_by"), 1) + "\n");
  }
  for (const auto& window : checkpoint.at("windows").as_array()) {
    const auto& about = window.as_object();
    print("  " + cell(about.at("state"), 10) + cell(about.at("messages"), 1) + "messages" +
          (about.at("set_aside").as_bool() ? ", set aside: too old to load safely" : "") + "\n");
  }
  print("queue\n  ");
  if (status.at("queue").is_null()) {
    print("not known\n");
  } else {
    const auto& queue = status.at("queue").as_object();
    print(cell(queue.at("visible"), 1) + "visible, " + cell(queue.at("in_flight"), 1) +
          "in flight, " + cell(queue.at("delayed"), 1) + "delayed\n");
  }
  print("rejections\n");
  for (const auto& each : status.at("rejections").as_array()) {
    const auto& row = each.as_object();
    print("  " + cell(row.at("messages"), 10) + cell(row.at("reason"), 22) +
          cell(row.at("field"), 20) + cell(row.at("sqlstate"), 7) + "newest " +
          cell(row.at("newest"), 1) + "\n");
  }
}

}  // namespace

int status_command(const Settings& settings, const Environment& environment) {
  const Pipeline pipeline = pipeline_of(settings);
  const Interrupt interrupt;
  Connection connection(settings.text("postgres"), interrupt);
  for (const Finding& finding : check_schema(connection)) {
    if (!finding.ok && finding.fault == Fault::configuration) {
      throw to_failure(finding);
    }
  }
  const boost::json::object status{
      {"pipeline", pipeline.name},
      {"runs", runs_of(connection, pipeline.name)},
      {"checkpoint", checkpoint_of(checkpoint_path_of(settings, environment, pipeline.name,
                                                      worker_of(settings)))},
      {"queue", queue_of_status(settings, environment, pipeline)},
      {"rejections", rejections_of(connection, pipeline.name)}};
  if (settings.flag("json")) {
    print(boost::json::serialize(status) + "\n");
  } else {
    show(status);
  }
  return kExitOk;
}

}  // namespace sluice
