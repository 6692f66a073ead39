// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdio>

#include <boost/json.hpp>

#include "job/base/clock.h"
#include "job/base/failure.h"
#include "job/base/file.h"
#include "job/base/log.h"
#include "job/base/text.h"
#include "job/cli/command.h"
#include "job/cli/report_page.h"
#include "job/cli/setup.h"
#include "job/warehouse/connection.h"
#include "job/warehouse/run_history.h"
#include "job/warehouse/schema.h"

namespace sluice {
namespace {

using boost::json::object;

/// 0 for what no run has told.
double number(const object& from, const char* name) {
  const auto* value = from.if_contains(name);
  return value == nullptr || value->is_null() ? 0 : value->to_number<double>();
}

bool known(const object& from, const char* name) {
  const auto* value = from.if_contains(name);
  return value != nullptr && !value->is_null();
}

std::string count(const object& from, const char* name) {
  return grouped(std::llround(number(from, name)));
}

std::string duration(const object& from, const char* name) {
  return known(from, name) ? rough_duration(std::llround(1000 * number(from, name))) : "–";
}

std::string rounded(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

/// Never 100 % for less than all, nor 0 % for more than nothing.
std::string share(double part, double whole) {
  if (whole <= 0) return "–";
  const double percent = 100 * part / whole;
  if (part < whole && percent > 99.9) return "> 99.9 %";
  if (part > 0 && percent < 0.01) return "< 0.01 %";
  return rounded(percent, percent == 0 || percent == 100 ? 0 : percent < 1 ? 2 : 1) + " %";
}

std::string states_text(const object& totals) {
  std::string text = count(totals, "runs") + (number(totals, "runs") == 1 ? " run" : " runs");
  static constexpr std::pair<const char*, const char*> kStates[] = {
      {"failed", " failed"},
      {"rejections", " over the reject threshold"},
      {"interrupted", " interrupted"},
      {"unfinished", " not ended"},
  };
  for (const auto& [state, words] : kStates) {
    if (number(totals, state) > 0) text += ", " + count(totals, state) + words;
  }
  return text;
}

KeyFigure oldest_message(const object& totals) {
  KeyFigure figure{"Oldest message", "–", "no run has ended"};
  if (!known(totals, "newest")) return figure;
  const object& newest = totals.at("newest").as_object();
  figure.note = "last run: nothing received";
  if (known(newest, "age")) {
    figure.value = duration(newest, "age");
    figure.note = "waited so long when the last run took it";
  }
  if (known(newest, "left_over")) {
    figure.note += "; " + count(newest, "left_over") + " left in the queue";
  }
  return figure;
}

std::vector<KeyFigure> figures_of(const object& totals) {
  const double loaded = number(totals, "loaded");
  const double rejected = number(totals, "rejected");
  const double seconds = number(totals, "seconds");
  const double planned = number(totals, "ok") + number(totals, "skipped");
  return {
      {"Messages loaded", count(totals, "loaded"),
       count(totals, "rows") + " rows" +
           (seconds > 0
                ? "; " + grouped(std::llround(loaded / seconds)) + " messages/s while running"
                : "")},
      {"Rejected", count(totals, "rejected"),
       loaded + rejected > 0 ? share(rejected, loaded + rejected) + " of loaded and rejected" : ""},
      {"Duplicates", count(totals, "duplicate"), "known already, not loaded again"},
      {"Runs that went well", share(planned, number(totals, "runs")), states_text(totals)},
      {"Run time, median", duration(totals, "median_s"),
       known(totals, "p95_s") ? "95 % took at most " + duration(totals, "p95_s") : ""},
      oldest_message(totals),
  };
}

std::string period_text(const Period& period) {
  const auto at = [](std::int64_t ms) { return rfc3339(ms).substr(0, 16) + "Z"; };
  if (period.since_ms && period.until_ms) {
    return "Runs from " + at(*period.since_ms) + " to " + at(*period.until_ms);
  }
  if (period.since_ms) return "Runs since " + at(*period.since_ms);
  if (period.until_ms) return "Runs until " + at(*period.until_ms);
  return "All runs";
}

std::string empty_text(const Settings& settings, const object& totals) {
  if (number(totals, "runs") > 0) return "";
  if (settings.has("since") || settings.has("until")) {
    return "No run began in this period. Leave --since and --until out to see all runs.";
  }
  return "No run has been recorded yet. Let `sluice run` make the first, then make this report "
         "again.";
}

Period period_of(const Settings& settings, std::int64_t now_ms) {
  Period period{pipeline_of(settings).name, settings.moment_ms("since", now_ms),
                settings.moment_ms("until", now_ms)};
  if (period.since_ms && period.until_ms && *period.since_ms >= *period.until_ms) {
    throw Failure(Fault::usage, "report: --since is not before --until", "exchange the two");
  }
  return period;
}

std::string history_of(const Settings& settings, const Period& period) {
  const Interrupt interrupt;
  Connection connection(settings.text("postgres"), interrupt);
  if (schema_version(connection) == 0) {
    throw Failure(Fault::configuration, "schema sluice: missing", "run `sluice migrate`");
  }
  return run_history(connection, period);
}

}  // namespace

int report_command(const Settings& settings, const Environment&) {
  const std::int64_t now_ms = now().wall_ms;
  const Period period = period_of(settings, now_ms);
  const std::string history = history_of(settings, period);
  const auto parsed = boost::json::parse(history);
  const object& totals = parsed.at("totals").as_object();
  const std::string page = to_html({.pipeline = period.pipeline,
                                    .period = period_text(period),
                                    .made_at = rfc3339(now_ms),
                                    .version = SLUICE_VERSION,
                                    .figures = figures_of(totals),
                                    .empty = empty_text(settings, totals),
                                    .history = history});
  if (!settings.has("output")) {
    print(page);
    return kExitOk;
  }
  const std::string path = settings.text("output");
  write_file(path, page, "report");
  log().write(Level::info, "report", "runs in the report " + path + ": " + count(totals, "runs"));
  return kExitOk;
}

}  // namespace sluice
