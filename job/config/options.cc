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
constexpr std::string_view kLive = "run check preview status";  // talk to the queue
constexpr std::string_view kDatabase = "run check migrate status";

constexpr std::array kOptions = {
    Option{"pipeline", Type::path, "FILE", "", 0, 0, "", "run check preview migrate status",
           "the pipeline file"},
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
           "run check preview keygen", "keys of the masks"},
    Option{"checkpoint", Type::path, "FILE", "", 0, 0, "", "run check status",
           "local state, an absolute path; default: <state>/<pipeline>-<worker>.db"},
    Option{
        "worker", Type::text, "ID", "", 0, 0, "", "run check status",
        "names this worker and its checkpoint; default: JOB_COMPLETION_INDEX, then the host's name",
        "JOB_COMPLETION_INDEX"},
    Option{"run-group", Type::text, "ID", "", 0, 0, "", kRun, "groups the runs of several workers",
           "AIRFLOW_CTX_DAG_RUN_ID"},
    Option{"max-messages", Type::count, "N", "", 1, kMany, "", kRun, "stop after N messages"},
    Option{"max-runtime", Type::duration, "D", "", kSecond, 30 * kDay, "", kRun,
           "stop receiving after this time, finish what is held, exit 0"},
    Option{"sent-before", Type::moment, "TIME", "", 0, 0, "", kRun,
           "done once what comes back was sent after this time, or now: for producers that never "
           "stop"},
    Option{"window-messages", Type::count, "N", "10000", 1, 1'000'000, "", kRun,
           "a window is sealed at this many messages"},
    Option{"window-bytes", Type::bytes, "S", "64MiB", 1 << 20, 1LL << 34, "", "run check",
           "… at this many bytes of message bodies"},
    Option{"window-time", Type::duration, "D", "60s", 100, kHour, "", kRun, "… at this age"},
    // SQS hides at most 120,000 messages of a queue at once, and says nothing when it is reached.
    Option{"in-flight-cap", Type::count, "N", "20000", 1, 120'000, "", kRun,
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
    Option{"reject-threshold", Type::share, "N|P%", "", 0, 0, "", kRun,
           "more rejections than this: exit 65 after loading the good rows"},
    Option{"skip-exit-code", Type::count, "N", "", 1, 255, "", kRun,
           "exit status when there was nothing to do, or another run holds the checkpoint"},
    Option{"dedup-days", Type::count, "N", "15", 2, 400, "", "run check migrate",
           "how long a loaded message is recognised when it comes again"},
    Option{"keep-closed", Type::bytes, "S", "256MiB", 0, 1LL << 40, "", kRun,
           "how much of what was loaded stays in the checkpoint"},
    Option{"summary-file", Type::path, "FILE", "", 0, 0, "", kRun,
           "the summary, written whole or not at all, on every way out"},
    Option{"metrics-file", Type::path, "FILE", "", 0, 0, "", kRun,
           "metrics for node_exporter's textfile collector, written like the summary"},
    Option{"start-jitter", Type::duration, "D", "0", 0, kHour, "", kRun,
           "wait a random time up to this before starting"},
    Option{"dry-run", Type::flag, "", "", 0, 0, "", kRun, "check everything, receive nothing"},
    Option{"input", Type::path, "FILE", "", 0, 0, "", "preview",
           "message bodies: JSON lines, or one JSON array; - is standard input"},
    Option{"from-queue", Type::count, "N", "", 1, 10, "", "preview",
           "look at N messages of the live queue and give them back; raises their receive count"},
    Option{"with-tables", Type::flag, "", "", 0, 0, "", "migrate", "also run the pipeline's ddl"},
    Option{"print-sql", Type::flag, "", "", 0, 0, "", "migrate", "print the SQL, change nothing"},
    Option{"rotate", Type::flag, "", "", 0, 0, "", "keygen",
           "add a new key and make it the current one"},
    Option{"shell", Type::word, "NAME", "", 0, 0, "bash zsh fish", "completion",
           "bash, zsh or fish; the flag's name may be left out"},
    Option{"show-config", Type::flag, "", "", 0, 0, "", "check",
           "print every setting with its origin"},
    Option{"json", Type::flag, "", "", 0, 0, "", "run check migrate status keygen",
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
