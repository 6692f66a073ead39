// SPDX-License-Identifier: Apache-2.0
// What can go wrong for reasons outside the program, and the exit status that tells a scheduler
// what to do next.
#pragma once

#include <exception>
#include <span>
#include <string>
#include <string_view>

namespace sluice {

/// Why a run could not go on. A bad message is no fault: it is a rejection.
enum class Fault {
  usage,          // the command line, the environment or --config
  bug,            // an assertion of ours, or books that do not add up
  temporary,      // network, throttling, Postgres away, disk full, deletes left over
  locked,         // another run holds the checkpoint
  rights,         // credentials or rights, of AWS or Postgres
  configuration,  // pipeline file, keyring, queue, tables, schema
};

/// Exit statuses that are not faults.
inline constexpr int kExitOk = 0;
inline constexpr int kExitRejections = 65;

/// Whether a scheduler does well to run the same command again.
enum class Retry {
  needless,    // nothing went wrong
  worthwhile,  // it may go well by itself the next time
  useless,     // it ends the same way until a person has acted
};

/// One row of the table of what an exit status means. `--help` and the README print it; the rules
/// of the DAGs, the units and the manifests are held against it.
struct ExitStatus {
  int status;
  Retry retry;
  std::string_view meaning;
  std::string_view what_next;  // what a scheduler or a person should do
};

std::span<const ExitStatus> exit_statuses();

std::string_view name_of(Fault fault);
std::string_view name_of(Retry retry);
int exit_status(Fault fault);

/// Thrown where a fault is found, caught once, in `main`. Vendor errors become a Failure in the one
/// folder that includes the vendor's header.
///
/// Grammar of the message, for an operator: lower case, no full stop, what was being done first,
/// then the cause: "keyring /etc/sluice/keyring.json: others can read it". The hint is one next
/// step. Neither ever holds a value of a message, a secret, or the text of a Postgres DETAIL.
class Failure : public std::exception {
 public:
  Failure(Fault fault, std::string message, std::string hint)
      : fault_(fault), message_(std::move(message)), hint_(std::move(hint)) {}

  Fault fault() const { return fault_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  Fault fault_;
  std::string message_;
  std::string hint_;
};

/// Asserts in release builds too: a bug must not become a wrong row. Throws Failure{bug}.
[[noreturn]] void bug(std::string_view what);
inline void require(bool holds, std::string_view what) {
  if (!holds) bug(what);
}

}  // namespace sluice
