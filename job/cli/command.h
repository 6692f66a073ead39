// SPDX-License-Identifier: Apache-2.0
// The one table of commands. Help, "did you mean" and the README's table come from it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "job/config/options.h"

namespace sluice {

struct Command {
  std::string_view name;
  std::string_view about;
  std::string_view needs;
  std::string_view example;
  /// Returns the exit status; throws Failure.
  int (*run)(const Settings& settings, const Environment& environment);
};

std::span<const Command> commands();

/// The program: parses, runs a command, turns a Failure into a message and an exit status.
int run_program(const std::vector<std::string>& arguments, const Environment& environment);

// One file each.
int run_command(const Settings&, const Environment&);
int check_command(const Settings&, const Environment&);
int preview_command(const Settings&, const Environment&);
int migrate_command(const Settings&, const Environment&);
int backfill_command(const Settings&, const Environment&);
int status_command(const Settings&, const Environment&);
int report_command(const Settings&, const Environment&);
int keygen_command(const Settings&, const Environment&);
int schema_command(const Settings&, const Environment&);
int completion_command(const Settings&, const Environment&);

/// Standard output: the result of a command, whole. A reader that went away is no error.
void print(std::string_view text);

}  // namespace sluice
