// SPDX-License-Identifier: Apache-2.0
// Shell completion, made from the tables of commands and options.
#include "job/base/failure.h"
#include "job/cli/command.h"

namespace sluice {
namespace {

std::string command_names() {
  std::string names;
  for (const Command& command : commands()) {
    names += (names.empty() ? "" : " ") + std::string(command.name);
  }
  return names;
}

std::string flags_of(std::string_view command) {
  std::string flags = "--help";
  for (const Option& option : options()) {
    if (option.is_for(command)) flags += " --" + std::string(option.name);
  }
  return flags;
}

std::string for_bash() {
  std::string script =
      "_sluice() {\n"
      "  local word=\"${COMP_WORDS[COMP_CWORD]}\" words\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    words=\"" +
      command_names() +
      " --help --version\"\n"
      "  else\n"
      "    case \"${COMP_WORDS[1]}\" in\n";
  for (const Command& command : commands()) {
    script +=
        "      " + std::string(command.name) + ") words=\"" + flags_of(command.name) + "\" ;;\n";
  }
  script +=
      "    esac\n"
      "  fi\n"
      "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
      "}\n"
      "complete -o default -F _sluice sluice\n";
  return script;
}

std::string for_zsh() {
  std::string script =
      "#compdef sluice\n"
      "_sluice() {\n"
      "  if (( CURRENT == 2 )); then compadd " +
      command_names() +
      " --help --version; return; fi\n"
      "  case ${words[2]} in\n";
  for (const Command& command : commands()) {
    script +=
        "    " + std::string(command.name) + ") compadd -- " + flags_of(command.name) + " ;;\n";
  }
  script +=
      "  esac\n"
      "  _files\n"
      "}\n"
      "compdef _sluice sluice\n";
  return script;
}

std::string for_fish() {
  std::string script =
      "complete -c sluice -n __fish_use_subcommand -f -a '" + command_names() + "'\n";
  for (const Command& command : commands()) {
    for (const Option& option : options()) {
      if (!option.is_for(command.name)) continue;
      script += "complete -c sluice -n '__fish_seen_subcommand_from " + std::string(command.name) +
                "' -l " + std::string(option.name) +
                (option.type == Option::Type::flag ? "" : " -r") + "\n";
    }
  }
  return script;
}

}  // namespace

int completion_command(const Settings& settings, const Environment&) {
  const std::string shell = settings.text("shell");
  if (shell.empty()) {
    throw Failure(Fault::usage, "completion for which shell?",
                  "sluice completion bash, zsh or fish");
  }
  print(shell == "bash" ? for_bash() : shell == "zsh" ? for_zsh() : for_fish());
  return kExitOk;
}

}  // namespace sluice
