// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>

#include "checkpoint/glance.h"
#include "job/announce/announcements.h"
#include "job/base/text.h"
#include "job/cli/command.h"
#include "job/cli/preflight.h"

namespace sluice {
namespace {

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size() + 1), ' ');
  return text;
}

std::string mark(const Finding& finding) {
  if (!finding.ok) return "FAULT";
  return finding.hint.empty() ? "ok" : "warn";
}

void show(const Finding& finding) {
  print(padded(mark(finding), 7) + padded(finding.thing, 28) + printable(finding.text, 500) + "\n");
  if (!finding.hint.empty())
    print(std::string(7, ' ') + "hint: " + printable(finding.hint, 500) + "\n");
}

void show_settings(const Settings& settings) {
  for (const Settings::Shown& shown : settings.shown()) {
    print(padded(shown.name, 22) +
          padded(shown.value.empty() ? "-" : printable(shown.value, 200), 34) + shown.origin +
          "\n");
  }
  print("\n");
}

void check_lock(Preflight& preflight, const std::function<void(const Finding&)>& told) {
  const std::string& path = preflight.prepared().checkpoint_path;
  if (path.empty()) return;
  const CheckpointGlance glance = glance_at(path);
  if (!glance.exists) return;
  Finding finding;
  finding.thing = "checkpoint content";
  if (glance.locked) {
    finding.text = "in use by " + glance.holder;
    finding.hint = "a run that starts now ends with exit status 75";
  } else {
    finding.text = std::to_string(glance.windows.size()) +
                   " unfinished windows; the next run begins with them";
  }
  told(finding);
}

}  // namespace

int check_command(const Settings& settings, const Environment& environment) {
  const Announcements refused_as_by_a_run(settings, environment);
  const bool json = settings.flag("json");
  if (settings.flag("show-config") && !json) show_settings(settings);
  int status = kExitOk;
  boost::json::array all;
  const auto told = [&](const Finding& finding) {
    // The first fault is the one to mend first.
    if (!finding.ok && status == kExitOk) status = exit_status(finding.fault);
    if (!json) return show(finding);
    all.push_back({{"ok", finding.ok},
                   {"thing", finding.thing},
                   {"text", finding.text},
                   {"hint", finding.hint}});
  };
  Preflight preflight(settings, environment, false, told);
  preflight.run();
  check_lock(preflight, told);
  if (json) {
    boost::json::object result{{"exit_code", status}, {"findings", all}};
    if (settings.flag("show-config")) {
      boost::json::object config;
      for (const Settings::Shown& shown : settings.shown()) {
        config[shown.name] = {{"value", shown.value}, {"origin", shown.origin}};
      }
      result["config"] = config;
    }
    print(boost::json::serialize(result) + "\n");
  }
  return status;
}

}  // namespace sluice
