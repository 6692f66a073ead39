// SPDX-License-Identifier: Apache-2.0
#include "job/base/failure.h"

#include <array>

namespace sluice {
namespace {

struct FaultRow {
  Fault fault;
  std::string_view name;
  int status;
};

constexpr std::array kFaults = {
    FaultRow{Fault::usage, "usage", 64},
    FaultRow{Fault::bug, "bug", 70},
    FaultRow{Fault::temporary, "temporary", 75},
    FaultRow{Fault::locked, "locked", 75},
    FaultRow{Fault::rights, "rights", 77},
    FaultRow{Fault::configuration, "configuration", 78},
};

// Our own constants: sysexits.h is discouraged by the systems that invented it.
constexpr std::array kExitStatuses = {
    ExitStatus{0, Retry::needless, "ended as planned: drained, empty, or at a limit of its own",
               "nothing"},
    ExitStatus{64, Retry::useless, "usage: a flag, a setting or a value is wrong",
               "correct the command"},
    ExitStatus{65, Retry::useless,
               "more rejections than --reject-threshold; good rows are loaded, rejections kept",
               "look at sluice.rejected_message"},
    ExitStatus{70, Retry::worthwhile, "a bug, or books that do not add up", "report it; run again"},
    ExitStatus{75, Retry::worthwhile,
               "temporary: network, throttling, Postgres away, disk full, deletes left over, "
               "checkpoint in use",
               "run again later"},
    ExitStatus{77, Retry::useless, "credentials or rights, of AWS or Postgres",
               "grant what the message names"},
    ExitStatus{78, Retry::useless, "configuration: pipeline file, keyring, queue, table or schema",
               "mend what the message names"},
    ExitStatus{99, Retry::needless,
               "nothing to do, or the checkpoint is in use; only with --skip-exit-code 99",
               "nothing"},
    ExitStatus{130, Retry::worthwhile, "SIGINT: stopped cleanly, work remains", "run again"},
    ExitStatus{143, Retry::worthwhile, "SIGTERM: stopped cleanly, work remains", "run again"},
};

const FaultRow& row_of(Fault fault) {
  for (const FaultRow& row : kFaults) {
    if (row.fault == fault) return row;
  }
  return kFaults[1];
}

}  // namespace

std::span<const ExitStatus> exit_statuses() { return kExitStatuses; }
std::string_view name_of(Fault fault) { return row_of(fault).name; }

std::string_view name_of(Retry retry) {
  switch (retry) {
    case Retry::needless:
      return "no need";
    case Retry::worthwhile:
      return "yes";
    case Retry::useless:
      return "not before it is mended";
  }
  return "";
}

int exit_status(Fault fault) { return row_of(fault).status; }

void bug(std::string_view what) {
  throw Failure(Fault::bug, "this should not happen: " + std::string(what),
                "report it with this line and the version; no message is lost, run again");
}

}  // namespace sluice
