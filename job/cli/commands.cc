// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include <unistd.h>

#include "job/base/failure.h"
#include "job/base/log.h"
#include "job/base/output.h"
#include "job/base/text.h"
#include "job/cli/command.h"

namespace sluice {
namespace {

constexpr std::array kCommands = {
    Command{"run", "carried windows, then the queue until drained or a limit", "all",
            "sluice run --pipeline user_logins.json --max-runtime 50m", run_command},
    Command{"check", "says in a table what is right and wrong; receives nothing", "all",
            "sluice check --pipeline user_logins.json", check_command},
    Command{"preview", "masked rows of sample messages on standard output", "pipeline, keyring",
            "sluice preview --pipeline user_logins.json --input sample.jsonl", preview_command},
    Command{"migrate", "creates or upgrades schema sluice; drops ledger days past the horizon",
            "Postgres", "sluice migrate --with-tables --pipeline user_logins.json",
            migrate_command},
    Command{"backfill", "archive files through the same path as the queue, each message once",
            "all but the queue",
            "sluice backfill --pipeline user_logins.json --input 2026-11-*.jsonl.gz --sent-at-from "
            "time",
            backfill_command},
    Command{"status", "last runs, backlog, unfinished windows, rejections, and what to do next",
            "Postgres, queue optional", "sluice status --pipeline user_logins.json",
            status_command},
    Command{"report", "one HTML page with plots of the runs and rejections; opens without network",
            "Postgres", "sluice report --pipeline user_logins.json --output report.html",
            report_command},
    Command{"keygen", "makes the keyring, or adds a new current key; never overwrites", "nothing",
            "sluice keygen --keyring keyring.json", keygen_command},
    Command{"schema", "JSON Schema (draft-07) of the pipeline file", "nothing",
            "sluice schema > pipeline.schema.json", schema_command},
    Command{"completion", "shell completion for bash, zsh or fish", "nothing",
            "sluice completion bash > /etc/bash_completion.d/sluice", completion_command},
};

std::string padded(std::string_view text, std::size_t width) {
  std::string out(text);
  out.resize(std::max(width, out.size() + 1), ' ');
  return out;
}

std::string program_help() {
  std::string help =
      "sluice drains an AWS SQS queue into Postgres, once, and exits. Personal data is masked "
      "before "
      "it touches a disk.\n\nExamples\n";
  for (const Command& command : kCommands) help += "  " + std::string(command.example) + "\n";
  help += "\nCommands\n";
  for (const Command& command : kCommands) {
    help += "  " + padded(command.name, 12) + std::string(command.about) + "\n";
  }
  help +=
      "\n`sluice COMMAND --help` lists a command's options.\n\nExit statuses, and whether to run "
      "it again\n";
  for (const ExitStatus& row : exit_statuses()) {
    help += "  " + padded(std::to_string(row.status), 5) + padded(name_of(row.retry), 25) +
            std::string(row.meaning) + "\n";
  }
  return help;
}

constexpr std::string_view kVariablesOfOthers =
    "\nOPENLINEAGE_URL, with OPENLINEAGE_ENDPOINT, _API_KEY, _NAMESPACE, _PARENT_ID and _DISABLED: "
    "where events\nof OpenLineage go. TRACEPARENT: the trace that the log names. AWS's and libpq's "
    "variables work as elsewhere.\n";

std::string command_help(const Command& command) {
  const bool announces = command.run == run_command || command.run == backfill_command;
  return "sluice " + std::string(command.name) + ": " + std::string(command.about) +
         "\n\nExample\n  " + std::string(command.example) + "\n\nOptions\n" +
         options_help(command.name) +
         "\nEach option also exists as SLUICE_NAME in the environment and as `name = value` in "
         "--config FILE;\n"
         "flags win over the environment over the file over the default. `sluice --help` lists the "
         "exit statuses.\n" +
         std::string(announces ? kVariablesOfOthers : "");
}

const Command& find_command(const std::string& name) {
  std::vector<std::string_view> names;
  for (const Command& command : kCommands) {
    if (command.name == name) return command;
    names.push_back(command.name);
  }
  throw Failure(Fault::usage,
                "unknown command '" + printable(name, 60) + "'" + did_you_mean(name, names),
                "known: " + listed(names) + "; sluice --help tells more");
}

void configure_log(const Settings& settings) {
  constexpr std::array kLevels = {std::string_view("error"), std::string_view("warning"),
                                  std::string_view("info"), std::string_view("debug")};
  const std::string format = settings.text("log-format");
  const auto* level = std::find(kLevels.begin(), kLevels.end(), settings.text("log-level"));
  auto chosen = static_cast<Level>(level - kLevels.begin());
  if (settings.flag("quiet")) chosen = std::min(chosen, Level::warning);
  const LogFormat as_told = format == "json" ? LogFormat::json : LogFormat::text;
  log().configure(format.empty() ? log().format() : as_told, chosen);
}

/// Before the settings are read: what is wrong with them is told in the format that was asked for.
void configure_log(const std::vector<std::string>& arguments, const Environment& environment) {
  std::string format = environment("SLUICE_LOG_FORMAT");
  const auto flag = std::find(arguments.begin(), arguments.end(), "--log-format");
  if (flag != arguments.end() && flag + 1 != arguments.end()) format = *(flag + 1);
  if (format == "json") log().configure(LogFormat::json, Level::info);
  if (format == "text") log().configure(LogFormat::text, Level::info);
}

bool is_help(const std::string& argument) { return argument == "-h" || argument == "--help"; }

int dispatch(const std::vector<std::string>& arguments, const Environment& environment) {
  if (arguments.empty()) {
    throw Failure(Fault::usage, "no command", "sluice --help lists the commands");
  }
  if (is_help(arguments[0])) {
    print(program_help());
    return kExitOk;
  }
  if (arguments[0] == "--version") {
    print("sluice " SLUICE_VERSION "\n");
    return kExitOk;
  }
  const Command& command = find_command(arguments[0]);
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  for (const std::string& argument : rest) {
    if (is_help(argument)) {
      print(command_help(command));
      return kExitOk;
    }
    if (argument == "--version") return dispatch({argument}, environment);
  }
  configure_log(rest, environment);
  const Settings settings(command.name, rest, environment);
  configure_log(settings);
  return command.run(settings, environment);
}

}  // namespace

std::span<const Command> commands() { return kCommands; }

int run_program(const std::vector<std::string>& arguments, const Environment& environment) {
  try {
    return dispatch(arguments, environment);
  } catch (const Failure& failure) {
    log().write_with_hint(Level::error, name_of(failure.fault()), failure.message(),
                          failure.hint());
    return exit_status(failure.fault());
  }
}

void print(std::string_view text) { write_out(STDOUT_FILENO, text, kForever); }

}  // namespace sluice
