// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>

#include "job/base/moment.h"
#include "job/base/text.h"
#include "job/cli/columns.h"
#include "job/cli/status.h"
#include "job/cli/status_look.h"

namespace sluice {
namespace {

using boost::json::value;

constexpr std::size_t kWidth = 100;
constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kYellow = "\x1b[33m";

std::string shown(const value& in, std::string_view pointer, std::size_t most = 500) {
  return printable(text_at(in, pointer), most);
}

std::string cell(const value& in, std::string_view pointer) { return shown(in, pointer, 40); }

/// "-" when it is not known.
std::string number(const value& in, std::string_view pointer) {
  return look(in, pointer).is_number() ? grouped(count_at(in, pointer)) : "-";
}

/// "2026-11-20 10:05"
std::string minute(const value& in, std::string_view pointer) {
  std::string text = shown(in, pointer).substr(0, 16);
  std::replace(text.begin(), text.end(), 'T', ' ');
  return text.empty() ? "-" : text;
}

/// How long ago it was, when the status was made.
std::string ago(const value& status, const value& in, std::string_view pointer) {
  const auto us = [](const std::string& text) {
    return parse_timestamp(text, Zone::required).value_or(0);
  };
  const std::int64_t passed = us(text_at(status, "/at")) - us(text_at(in, pointer));
  return rough_duration(std::max<std::int64_t>(0, passed / 1000));
}

std::string seconds(double number) { return rough_duration(std::llround(number * 1000)); }

std::string not_known(const value& status, std::string_view part) {
  for (const value& error : list_at(status, "/errors")) {
    if (text_at(error, "/part") == part) return "  not known: " + shown(error, "/message") + "\n";
  }
  return "  not known\n";
}

/// Broken between words; the lines after the first are indented by two more.
std::string wrapped(std::string text) {
  std::string out = "  ";
  while (text.size() + 4 > kWidth) {
    const std::size_t space = text.rfind(' ', kWidth - 4);
    if (space == std::string::npos) break;
    out += text.substr(0, space) + "\n    ";
    text.erase(0, space + 1);
  }
  return out + text + "\n";
}

// ---- runs ----

bool has_ended(const value& run) { return text_at(run, "/state") == "ended"; }

/// Of a run that has not told its end, what it has committed.
std::string messages(const value& run, const std::string& name) {
  return number(run, (has_ended(run) ? "/counts/" : "/so_far/") + name);
}

std::string took(const value& status, const value& run) {
  if (text_at(run, "/state") == "running") return ago(status, run, "/started_at");
  return look(run, "/duration_s").is_number() ? seconds(number_at(run, "/duration_s")) : "-";
}

std::string end_of(const value& run) {
  if (!has_ended(run)) return cell(run, "/state");
  const std::string status = cell(run, "/status");
  const bool well = status.empty() || status == "ok" || status == "rejections";
  return well ? cell(run, "/stop_reason") : status;
}

std::string_view colour_of(const value& run) {
  if (!has_ended(run)) return text_at(run, "/state") == "running" ? kGreen : kYellow;
  return count_at(run, "/exit_code") == 0 || text_at(run, "/status") == "skipped" ? "" : kRed;
}

std::int64_t rows_of(const value& run) {
  if (!has_ended(run)) return count_at(run, "/so_far/rows");
  const value& tables = look(run, "/counts/rows");
  std::int64_t rows = 0;
  if (!tables.is_object()) return rows;
  for (const auto& table : tables.as_object()) rows += count_at(table.value(), "");
  return rows;
}

/// One character a run, the newest last: as high as its rows are many.
std::string chart(const value& status, bool utf8) {
  constexpr std::size_t kMost = 60;
  constexpr std::array kBars = {"·", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr std::array kAscii = {".", "_", "-", "~", "=", "+", "*", "%", "#"};
  std::vector<std::int64_t> rows;  // the newest first
  for (const value& run : list_at(status, "/runs")) {
    if (rows.size() < kMost) rows.push_back(rows_of(run));
  }
  const std::int64_t most = *std::ranges::max_element(rows);
  std::string bars;
  for (auto at = rows.rbegin(); at != rows.rend(); ++at) {
    const auto height =
        static_cast<double>(*at) * 8 / static_cast<double>(std::max<std::int64_t>(1, most));
    const auto step = static_cast<std::size_t>(std::clamp(std::ceil(height), 0.0, 8.0));
    bars += utf8 ? kBars[step] : kAscii[step];
  }
  return "  rows per run, the newest last: " + bars + "  most: " + grouped(most) + "\n";
}

std::string runs(const value& status, StatusStyle style) {
  if (!look(status, "/runs").is_array()) return not_known(status, "postgres");
  const auto& all = list_at(status, "/runs");
  if (all.empty()) return "  none yet\n";
  Columns table("lrrlrrrrl");
  table.add({"started (UTC)", "took", "exit", "end", "received", "loaded", "duplicate", "rejected",
             "worker"});
  std::string group;
  bool unknown_end = false;
  for (const value& run : all) {
    const std::string own = shown(run, "/run_group", 90);
    if (own != group) table.add_heading(own.empty() ? "in no group" : "group " + own);
    group = own;
    unknown_end = unknown_end || text_at(run, "/state") == "not ended";
    table.add({minute(run, "/started_at"), took(status, run), number(run, "/exit_code"),
               end_of(run), messages(run, "received"), messages(run, "loaded"),
               messages(run, "duplicate"), messages(run, "rejected"), shown(run, "/worker")},
              style.colour ? colour_of(run) : "");
  }
  std::string text = table.lines(kWidth);
  if (unknown_end) text += "  not ended: running elsewhere, killed, or its end was not recorded\n";
  return text + chart(status, style.utf8);
}

// ---- the rest ----

std::string backlog(const value& status) {
  Columns lines("ll");
  const auto add = [&](const char* name, std::string text) { lines.add({name, std::move(text)}); };
  const bool known = look(status, "/queue").is_object();
  if (known) {
    add("queue now", number(status, "/queue/visible") + " visible, " +
                         number(status, "/queue/in_flight") + " in flight, " +
                         number(status, "/queue/delayed") + " delayed (SQS's estimate)");
  }
  if (look(status, "/backlog/loaded_up_to").is_string()) {
    add("newest loaded", "sent " + minute(status, "/backlog/loaded_up_to") + " UTC, " +
                             ago(status, status, "/backlog/loaded_up_to") +
                             " ago (of the runs above)");
  }
  if (look(status, "/backlog/oldest_message_age_s").is_number()) {
    add("oldest received", seconds(number_at(status, "/backlog/oldest_message_age_s")) +
                               " old then (of the last run that got any)");
  }
  if (look(status, "/backlog/seconds_to_drain").is_number()) {
    add("time to drain", seconds(number_at(status, "/backlog/seconds_to_drain")) + ", at the " +
                             grouped(std::llround(number_at(status, "/backlog/per_second"))) +
                             "/s of that run");
  }
  return (known ? "" : not_known(status, "queue")) + lines.lines(kWidth);
}

std::string deletions(const value& checkpoint) {
  const std::int64_t left = count_at(checkpoint, "/undeleted");
  const std::int64_t closed = count_at(checkpoint, "/closed/windows");
  if (left > 0) {
    return "  " + grouped(left) +
           " messages are loaded and not yet deleted (`--undeleted` lists them)\n";
  }
  if (closed == 0) return "  nothing is left to delete\n";
  return "  nothing is left to delete: the queue answered every delete of " + grouped(closed) +
         " closed windows (" + number(checkpoint, "/closed/messages") + " messages)\n";
}

std::string what_is_in(const value& status, const value& checkpoint) {
  if (look(checkpoint, "/problem").is_string()) return wrapped(shown(checkpoint, "/problem"));
  const std::string holder = shown(checkpoint, "/in_use_by");
  if (!holder.empty()) {
    return "  in use by " + holder + ": what it holds can be seen when that has ended\n";
  }
  Columns windows("lrll");
  for (const value& window : list_at(checkpoint, "/windows")) {
    windows.add({is_set(window, "/set_aside") ? "set aside" : cell(window, "/state"),
                 number(window, "/messages"), "messages",
                 "the oldest sent " + ago(status, window, "/oldest_sent_at") + " ago"});
  }
  return windows.lines(kWidth);
}

std::string checkpoint(const value& status) {
  const value& checkpoint = look(status, "/checkpoint");
  std::string text = "checkpoint " + shown(checkpoint, "/path") + "\n";
  if (checkpoint.is_null()) return text + not_known(status, "checkpoint");
  if (!is_set(checkpoint, "/exists")) return text + "  there is none: nothing is kept here\n";
  text += what_is_in(status, checkpoint);
  return text + (look(checkpoint, "/undeleted").is_number() ? deletions(checkpoint) : "");
}

/// Nothing where there never was one.
std::string backfill(const value& status) {
  const value& checkpoint = look(status, "/backfill");
  if (checkpoint.is_null()) return "";
  return "\nbackfill " + shown(checkpoint, "/path") + "\n" +
         (is_set(checkpoint, "/unfinished") ? "  unfinished\n" : "  finished\n") +
         what_is_in(status, checkpoint);
}

std::string rejections(const value& status) {
  if (!look(status, "/rejections").is_array()) return not_known(status, "postgres");
  const auto& all = list_at(status, "/rejections");
  if (all.empty()) return "  none\n";
  Columns table("rrrllll");
  table.add({"messages", "last 24 h", "to forward", "reason", "field", "SQLSTATE", "newest (UTC)"});
  for (const value& each : all) {
    table.add({number(each, "/messages"), number(each, "/last_day"), number(each, "/to_forward"),
               cell(each, "/reason"), cell(each, "/field"), cell(each, "/sqlstate"),
               minute(each, "/newest")});
  }
  return table.lines(kWidth);
}

}  // namespace

std::string status_text(const value& status, StatusStyle style) {
  std::string text = "pipeline " + shown(status, "/pipeline") + ", worker " +
                     shown(status, "/worker") + ", " + minute(status, "/at") + " UTC\n";
  text += "\nruns\n" + runs(status, style);
  text += "\nbacklog\n" + backlog(status);
  text += "\n" + checkpoint(status) + backfill(status);
  text += "\nrejections\n" + rejections(status);
  text += "\nnext\n";
  for (const value& step : list_at(status, "/next"))
    text += wrapped(printable(step.as_string(), 1000));
  return text;
}

}  // namespace sluice
