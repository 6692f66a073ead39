// SPDX-License-Identifier: Apache-2.0
#include "job/config/options.h"

#include <algorithm>
#include <array>

#include "job/base/text.h"

namespace sluice {
namespace {

using Type = Option::Type;

constexpr std::int64_t kSecond = 1000;
constexpr std::int64_t kHour = 3600 * kSecond;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kMany = 1'000'000'000'000;

constexpr std::string_view kAll = "";
constexpr std::string_view kRun = "run";
constexpr std::string_view kRuns = "run backfill";              // the heart, whatever the source
constexpr std::string_view kLive = "run check preview status";  // talk to the queue
constexpr std::string_view kDatabase = "run check migrate backfill status report";

constexpr std::array kOptions = {
    Option{"pipeline", Type::path, "FILE", "", 0, 0, "",
           "run check preview migrate status backfill report", "the pipeline file"},
    Option{"queue-url", Type::text, "URL", "", 0, 0, "", kLive,
           "the queue; default: the pipeline's"},
    Option{"endpoint-url", Type::text, "URL", "", 0, 0, "", kLive,
           "SQS endpoint; default: AWS's own rules (AWS_ENDPOINT_URL_SQS, configuration files, "
           "region)"},
    Option{"region", Type::text, "NAME", "", 0, 0, "", kLive,
           "AWS region; default: AWS's own rules"},
    Option{"profile", Type::text, "NAME", "", 0, 0, "", kLive, "AWS profile; default: AWS_PROFILE"},
    Option{"postgres", Type::text, "CONNINFO", "", 0, 0, "", kDatabase,
           "connection string or URI, without a password; default: libpq's PG* variables"},
    Option{"keyring", Type::path, "FILE", "/etc/sluice/keyring.json", 0, 0, "",
           "run check preview keygen backfill", "keys of the masks"},
    Option{"checkpoint", Type::path, "FILE", "", 0, 0, "", "run check status backfill",
           "local state, an absolute path; default: <state>/<pipeline>-<worker>.db"},
    Option{
        "worker", Type::text, "ID", "", 0, 0, "", "run check status backfill",
        "names this worker and its checkpoint; default: JOB_COMPLETION_INDEX, then the host's name",
        "JOB_COMPLETION_INDEX"},
    Option{"run-group", Type::text, "ID", "", 0, 0, "", kRuns, "groups the runs of several workers",
           "AIRFLOW_CTX_DAG_RUN_ID"},
    Option{"max-messages", Type::count, "N", "", 1, kMany, "", kRuns, "stop after N messages"},
    Option{"max-runtime", Type::duration, "D", "", kSecond, 30 * kDay, "", kRuns,
           "stop receiving after this time, finish what is held, exit 0"},
    Option{"sent-before", Type::moment, "TIME", "", 0, 0, "", kRun,
           "done once what comes back was sent after this time, or now: for producers that never "
           "stop"},
    Option{"window-messages", Type::count, "N", "10000", 1, 1'000'000, "", kRuns,
           "a window is sealed at this many messages"},
    Option{"window-bytes", Type::bytes, "S", "64MiB", 1 << 20, 1LL << 34, "", "run check backfill",
           "… at this many bytes of message bodies"},
    Option{"window-time", Type::duration, "D", "60s", 100, kHour, "", kRuns, "… at this age"},
    // SQS hides at most 120,000 messages of a queue at once, and says nothing when it is reached.
    Option{"in-flight-cap", Type::count, "N", "20000", 1, 120'000, "", kRuns,
           "most messages received and not yet deleted"},
    Option{"receivers", Type::count, "N", "32", 1, 128, "", kRun, "most receives in flight"},
    Option{"wait-seconds", Type::count, "N", "2", 1, 20, "", kRun, "length of a long poll"},
    Option{"empty-polls", Type::count, "N", "2", 1, 100, "", kRun,
           "empty long polls in a row that mean drained"},
    Option{"visibility-timeout", Type::duration, "D", "", kSecond, 12 * kHour, "", kRun,
           "how long a message stays hidden before it is extended; default: the larger of 120s and "
           "the queue's"},
    Option{"rejections", Type::word, "PLACE", "", 0, 0, "table dead-letter-queue leave",
           "run check", "where rejected messages go; default: the pipeline's"},
    Option{"reject-threshold", Type::share, "N|P%", "", 0, 0, "", kRuns,
           "more rejections than this: exit 65 after loading the good rows"},
    Option{"skip-exit-code", Type::count, "N", "", 1, 255, "", kRuns,
           "exit status when there was nothing to do, or another run holds the checkpoint"},
    Option{"dedup-days", Type::count, "N", "15", 2, 400, "", "run check migrate backfill",
           "how long a loaded message is recognised when it comes again"},
    Option{"keep-closed", Type::bytes, "S", "256MiB", 0, 1LL << 40, "", kRuns,
           "how much of what was loaded stays in the checkpoint"},
    Option{"summary-file", Type::path, "FILE", "", 0, 0, "", kRuns,
           "the summary, written whole or not at all, on every way out"},
    Option{"metrics-file", Type::path, "FILE", "", 0, 0, "", kRuns,
           "metrics for node_exporter's textfile collector, written like the summary"},
    Option{"success-file", Type::path, "FILE", "", 0, 0, "", kRuns,
           "when a run last succeeded, as metrics; default: beside --metrics-file, with -success "
           "before .prom"},
    // Their addresses may hold what gives access.
    Option{"pushgateway", Type::secret, "URL", "", 0, 0, "", "run check backfill",
           "a Prometheus Pushgateway that gets the metrics"},
    Option{
        "ping-url", Type::secret, "URL", "", 0, 0, "", "run check backfill",
        "called when a run went well, for a service that raises an alarm when it is not; a secret "
        "that `ps` would show: rather SLUICE_PING_URL or --config"},
    Option{"ping-style", Type::word, "STYLE", "plain", 0, 0, "plain healthchecks",
           "run check backfill",
           "healthchecks: called at the start and after a failure, too, as healthchecks.io has it"},
    Option{"start-jitter", Type::duration, "D", "0", 0, kHour, "", kRuns,
           "wait a random time up to this before starting"},
    Option{"dry-run", Type::flag, "", "", 0, 0, "", kRuns,
           "check everything and load nothing; a backfill reads all of its input"},
    Option{
        "input", Type::paths, "FILE…", "", 0, 0, "", "preview backfill",
        "JSON lines or one JSON array, plain, gzip or zstd; - is standard input; may be several"},
    Option{"envelope", Type::word, "KIND", "none", 0, 0, "none sqs", "backfill",
           "sqs: each record is a message as ReceiveMessage returns it; none: a body"},
    Option{"sent-at", Type::moment, "TIME", "", 0, 0, "", "backfill", "when the bodies were sent"},
    Option{"sent-at-from", Type::text, "FIELD", "", 0, 0, "", "backfill",
           "the field of a body that tells when it was sent: a key or a JSON Pointer"},
    Option{"since", Type::moment, "TIME", "", 0, 0, "", "backfill report",
           "only what was sent, or run, at this time or later"},
    Option{"until", Type::moment, "TIME", "", 0, 0, "", "backfill report",
           "… and before this time"},
    Option{"from-queue", Type::count, "N", "", 1, 10, "", "preview",
           "look at N messages of the live queue and give them back; raises their receive count"},
    Option{"with-tables", Type::flag, "", "", 0, 0, "", "migrate", "also run the pipeline's ddl"},
    Option{"print-sql", Type::flag, "", "", 0, 0, "", "migrate", "print the SQL, change nothing"},
    Option{"rotate", Type::flag, "", "", 0, 0, "", "keygen",
           "add a new key and make it the current one"},
    Option{"shell", Type::word, "NAME", "", 0, 0, "bash zsh fish", "completion",
           "bash, zsh or fish; the flag's name may be left out"},
    Option{"output", Type::path, "FILE", "", 0, 0, "", "report",
           "the page, written whole or not at all; default: standard output"},
    Option{"runs", Type::count, "N", "10", 1, 1000, "", "status", "how many of the last runs"},
    Option{"undeleted", Type::flag, "", "", 0, 0, "", "status",
           "only the ids of messages that are loaded and not yet deleted, one a line"},
    Option{"show-config", Type::flag, "", "", 0, 0, "", "check",
           "print every setting with its origin"},
    Option{"json", Type::flag, "", "", 0, 0, "", "run check migrate status keygen backfill",
           "the result as one line of JSON on standard output"},
    Option{"config", Type::path, "FILE", "", 0, 0, "", kAll,
           "settings as lines `key = value`, # comments"},
    Option{"log-format", Type::word, "FORMAT", "", 0, 0, "text json", kAll,
           "text or json; default: text on a terminal, else json"},
    Option{"log-level", Type::word, "LEVEL", "info", 0, 0, "error warning info debug", kAll,
           "error, warning, info or debug"},
    Option{"quiet", Type::flag, "", "", 0, 0, "", kAll, "warnings and errors only"},
};

}  // namespace

bool Option::is_for(std::string_view command) const {
  if (commands.empty()) return true;
  const auto names = split(commands, ' ');
  return std::find(names.begin(), names.end(), command) != names.end();
}

std::span<const Option> options() { return kOptions; }

std::string variable_of(const Option& option) {
  std::string name = "SLUICE_";
  for (const char c : option.name) {
    name += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return name;
}

std::string options_help(std::string_view command) {
  constexpr std::size_t kColumn = 30;
  std::string help;
  for (const Option& option : kOptions) {
    if (!option.is_for(command)) continue;
    std::string line = "  --" + std::string(option.name);
    if (!option.placeholder.empty()) line += " " + std::string(option.placeholder);
    line.resize(std::max(line.size() + 1, kColumn), ' ');
    line += option.about;
    if (!option.fallback.empty() && option.fallback != "0") {
      line += " (default " + std::string(option.fallback) + ")";
    }
    help += line + "\n";
  }
  return help;
}

}  // namespace sluice
