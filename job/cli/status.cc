// SPDX-License-Identifier: Apache-2.0
#include "job/cli/status.h"

#include <functional>

#include <unistd.h>

#include "job/base/clock.h"
#include "job/base/log.h"
#include "job/base/text.h"
#include "job/cli/command.h"
#include "job/cli/setup.h"
#include "job/cli/status_look.h"
#include "job/cli/status_parts.h"

namespace sluice {
namespace {

using boost::json::object;

/// A status that is gathered part by part: a part that cannot be seen stays null, with the reason
/// among the errors.
class Gathered {
 public:
  explicit Gathered(object begun) : status_(std::move(begun)) {
    status_["errors"] = boost::json::array();
  }

  object& status() { return status_; }

  void add(const std::string& part, const std::function<void(object&)>& look_at) try {
    look_at(status_);
  } catch (const Failure& failure) {
    status_["errors"].as_array().push_back({{"part", part},
                                            {"fault", name_of(failure.fault())},
                                            {"message", failure.message()},
                                            {"hint", failure.hint()}});
    // The queue is worth a look, no more: who may read the database may have no right to it.
    const bool optional = part == "queue";
    if (!optional && result_ == kExitOk) result_ = exit_status(failure.fault());
    log().write_with_hint(optional ? Level::warning : Level::error, part + "-unknown",
                          failure.message(), failure.hint());
  }

  /// Of the command: as much as was found is printed, and what was not is no success.
  int result() const { return result_; }

 private:
  object status_;
  int result_ = kExitOk;
};

/// A run without an end that is at work: whoever holds a checkpoint of this worker is one.
void mark_running(object& status) {
  if (!status["runs"].is_array()) return;
  int at_work = 0;
  for (const char* holder : {"/checkpoint/in_use_by", "/backfill/in_use_by"}) {
    if (!text_at(status, holder).empty()) ++at_work;
  }
  for (boost::json::value& run : status["runs"].as_array()) {
    if (at_work == 0) return;
    if (run.at("worker") != status["worker"] || run.at("state") == "ended") continue;
    run.as_object()["state"] = "running";
    --at_work;
  }
}

/// Somebody waits: two attempts, where a run goes on trying for minutes.
Environment impatient(const Environment& environment) {
  return [&environment](const char* name) {
    const std::string value = environment(name);
    return value.empty() && std::string_view(name) == "AWS_MAX_ATTEMPTS" ? "2" : value;
  };
}

StatusStyle style_of(const Environment& environment) {
  std::string language;
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {  // in the order of locale(7)
    if (language.empty()) language = lower_ascii(environment(name));
  }
  const bool plain = !environment("NO_COLOR").empty() || environment("TERM") == "dumb";
  return {.utf8 = language.find("utf-8") != language.npos || language.find("utf8") != language.npos,
          .colour = !plain && ::isatty(STDOUT_FILENO) == 1};
}

}  // namespace

int status_command(const Settings& settings, const Environment& environment) {
  const Pipeline pipeline = pipeline_of(settings);
  const std::string worker = worker_of(settings);
  const auto path_for = [&](const std::string& name) {
    return checkpoint_path_of(settings, environment, pipeline.name, name);
  };
  const bool json = settings.flag("json");
  if (settings.flag("undeleted")) {
    const std::string path = path_for(worker);
    return print_undeleted(path, glance_of(path, pipeline.name), json);
  }

  Gathered gathered({{"pipeline", pipeline.name},
                     {"worker", worker},
                     {"at", rfc3339(now().wall_ms)},
                     {"runs", nullptr},
                     {"checkpoint", nullptr},
                     {"backfill", nullptr},
                     {"queue", nullptr},
                     {"rejections", nullptr}});
  gathered.add("checkpoint", [&](object& status) {
    const std::string path = path_for(worker);
    status["checkpoint"] = to_json(path, glance_of(path, pipeline.name));
  });
  gathered.add("backfill", [&](object& status) {
    // One that was named is looked at, whosever it is; without the one there is no other.
    if (settings.has("checkpoint") || status["checkpoint"].is_null()) return;
    const std::string path = path_for(worker + kBackfillSuffix);
    const CheckpointGlance glance = glance_of(path, pipeline.name);
    const bool unfinished = ::access((path + ".cursor").c_str(), F_OK) == 0;
    if (!glance.exists && !unfinished) return;
    object shown = to_json(path, glance);
    shown["unfinished"] = unfinished;
    status["backfill"] = std::move(shown);
  });
  gathered.add("postgres", [&](object& status) {
    const auto runs = static_cast<int>(settings.count("runs"));
    add_postgres(settings.text("postgres"), pipeline.name, runs, status);
  });
  gathered.add("queue", [&](object& status) {
    add_queue(*queue_of(settings, impatient(environment), pipeline).queue, status);
  });
  object& status = gathered.status();
  mark_running(status);
  status["backlog"] = backlog_of(status);
  status["next"] = next_steps(status);
  print(json ? boost::json::serialize(status) + "\n" : status_text(status, style_of(environment)));
  return gathered.result();
}

}  // namespace sluice
