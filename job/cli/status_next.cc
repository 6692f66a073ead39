// SPDX-License-Identifier: Apache-2.0
// What to do next, out of the figures of a status: a table of rules.
#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "job/base/moment.h"
#include "job/base/text.h"
#include "job/cli/status.h"
#include "job/cli/status_look.h"

namespace sluice {
namespace {

using boost::json::array;
using boost::json::value;

constexpr std::size_t kMostSteps = 3;
constexpr std::int64_t kSecondUs = 1'000'000;

/// The newest of the worker whose checkpoint is looked at.
const value& own_last_run(const value& status) {
  static const value none;
  for (const value& run : list_at(status, "/runs")) {
    if (look(run, "/worker") == look(status, "/worker")) return run;
  }
  return none;
}

bool is_in_use(const value& checkpoint) { return !text_at(checkpoint, "/in_use_by").empty(); }

bool any_runs_now(const value& status) { return is_in_use(look(status, "/checkpoint")); }

bool is_cut_short(const value& backfill) {
  return !is_in_use(backfill) &&
         (is_set(backfill, "/unfinished") || !list_at(backfill, "/windows").empty());
}

// ---- the rules: each a sentence, or nothing ----

std::string look_at_what_could_not_be_seen(const value& status) {
  for (const value& error : list_at(status, "/errors")) {
    const std::string part = text_at(error, "/part");
    if (part != "queue") return part + ": " + text_at(error, "/hint");
  }
  return "";
}

std::string replace_the_checkpoint(const value& status) {
  if (!is_set(status, "/checkpoint/replaced_by_next_run")) return "";
  return "run again: it puts the checkpoint aside and begins a fresh one; no data is lost";
}

std::string look_at_windows_set_aside(const value& status) {
  std::int64_t messages = 0;
  for (const value& window : list_at(status, "/checkpoint/windows")) {
    if (is_set(window, "/set_aside")) messages += count_at(window, "/messages");
  }
  if (messages == 0) return "";
  return grouped(messages) +
         " messages are set aside in the checkpoint, older than the ledger remembers: what the "
         "queue still has comes again by itself; for the rest, compare the table before you delete "
         "the file";
}

std::string heed_the_last_failure(const value& status) {
  const value& run = own_last_run(status);
  if (text_at(run, "/status") != "failed") return "";
  return "the last run failed (" + text_at(run, "/error/message") +
         "): " + text_at(run, "/error/hint");
}

std::string run_again(const value& status) {
  std::int64_t kept = 0;
  for (const value& window : list_at(status, "/checkpoint/windows")) {
    const std::string state = text_at(window, "/state");
    const bool waits = state != "loaded" && !is_set(window, "/set_aside");
    if (waits) kept += count_at(window, "/messages");
  }
  const std::int64_t undeleted = count_at(status, "/checkpoint/undeleted");
  const bool cut_short = text_at(own_last_run(status), "/state") == "not ended" &&
                         !is_cut_short(look(status, "/backfill"));  // which it may have been
  if (kept == 0 && undeleted == 0 && !cut_short) return "";
  std::vector<std::string> does;
  if (cut_short) does.emplace_back("goes on where the last run stopped");
  if (undeleted > 0) {
    does.push_back("deletes the " + grouped(undeleted) +
                   " messages that are loaded (`--undeleted` lists them)");
  }
  if (kept > 0) does.push_back("loads the " + grouped(kept) + " that the checkpoint keeps");
  return "run again: it " + listed(std::vector<std::string_view>(does.begin(), does.end()));
}

std::string go_on_with_the_backfill(const value& status) {
  if (!is_cut_short(look(status, "/backfill"))) return "";
  return "a backfill is unfinished: the same `sluice backfill` again goes on where it stopped";
}

std::string give_it_more(const value& status) {
  constexpr std::size_t kRuns = 3;
  std::vector<std::int64_t> left;  // the newest first
  for (const value* run : runs_of_the_queue(status)) {
    if (text_at(*run, "/state") != "ended") continue;
    if (text_at(*run, "/stop_reason") == "drained") return "";
    if (!look(*run, "/queue_after/visible").is_number()) continue;
    left.push_back(count_at(*run, "/queue_after/visible"));
    if (left.size() == kRuns) break;
  }
  if (left.size() < kRuns || !(left[0] > left[1] && left[1] > left[2])) return "";
  return "each run leaves more than the one before (" + grouped(left[2]) + ", " + grouped(left[1]) +
         ", " + grouped(left[0]) +
         "): a longer --max-runtime, more --receivers, or several workers side by side";
}

std::string forward_rejections(const value& status) {
  std::int64_t messages = 0;
  for (const value& each : list_at(status, "/rejections"))
    messages += count_at(each, "/to_forward");
  if (messages == 0 || any_runs_now(status)) return "";
  return "run again: it sends " + grouped(messages) + " rejections on to the dead-letter queue";
}

std::string mend_what_is_rejected(const value& status) {
  std::int64_t messages = 0;
  const value* most = nullptr;
  for (const value& each : list_at(status, "/rejections")) {
    const std::int64_t lately = count_at(each, "/last_day");
    messages += lately;
    if (lately > 0 && (most == nullptr || lately > count_at(*most, "/last_day"))) most = &each;
  }
  if (most == nullptr) return "";
  const std::string field = text_at(*most, "/field");
  return grouped(messages) + " messages were rejected in the last 24 hours, most often " +
         text_at(*most, "/reason") + (field.empty() ? "" : " of field " + field) +
         ": put the sender or the pipeline file right; their bodies are kept, sealed";
}

std::optional<std::int64_t> moment_us(const value& in, std::string_view pointer) {
  return parse_timestamp(text_at(in, pointer), Zone::required);
}

/// The longest pause that was usual decides, not the average: the workers of one group begin
/// together.
std::string look_at_the_scheduler(const value& status) {
  constexpr std::int64_t kTogether = 600 * kSecondUs;
  std::int64_t usual = 0;
  std::optional<std::int64_t> newest, after;
  for (const value* run : runs_of_the_queue(status)) {
    if (text_at(*run, "/state") == "running") return "";
    const auto began = moment_us(*run, "/started_at");
    if (!began) return "";
    if (after) usual = std::max(usual, *after - *began);
    if (!newest) newest = began;
    after = began;
  }
  const auto now = moment_us(status, "/at");
  if (!now || !newest || usual < kTogether || *now - *newest <= 2 * usual) return "";
  return "no run for " + rough_duration((*now - *newest) / 1000) + ", where one began every " +
         rough_duration(usual / 1000) + " at least: look at the scheduler";
}

std::string run_for_the_first_time(const value& status) {
  const value& runs = look(status, "/runs");
  if (!runs.is_array() || !runs.as_array().empty() || any_runs_now(status)) return "";
  return "nothing has run yet: `sluice check`, then `sluice run`";
}

std::string look_at_the_queue(const value& status) {
  for (const value& error : list_at(status, "/errors")) {
    if (text_at(error, "/part") == "queue")
      return "the queue did not answer: " + text_at(error, "/hint");
  }
  return "";
}

using Rule = std::string (*)(const value&);
/// The first that speaks is the first to be followed.
constexpr auto kRules = std::to_array<Rule>({
    look_at_what_could_not_be_seen,
    replace_the_checkpoint,
    look_at_windows_set_aside,
    heed_the_last_failure,
    run_again,
    go_on_with_the_backfill,
    give_it_more,
    forward_rejections,
    mend_what_is_rejected,
    look_at_the_scheduler,
    run_for_the_first_time,
    look_at_the_queue,
});

}  // namespace

array next_steps(const value& status) {
  array steps;
  for (const Rule rule : kRules) {
    const std::string step = rule(status);
    if (!step.empty() && steps.size() < kMostSteps) steps.emplace_back(step);
  }
  if (steps.empty()) {
    const bool at_work = any_runs_now(status) || is_in_use(look(status, "/backfill"));
    steps.emplace_back(at_work ? "a run is at work: look again when it has ended"
                               : "nothing to do");
  }
  return steps;
}

}  // namespace sluice
