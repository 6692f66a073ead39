// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <exception>
#include <string>
#include <vector>

#include <fcntl.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "job/base/failure.h"
#include "job/base/log.h"
#include "job/cli/command.h"

namespace {

/// Clear messages live in memory only: no core file may carry them to a disk (promise G5).
void lock_memory_out_of_files() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  // Also for a core_pattern that is a pipe, which ignores the limit.
  ::prctl(PR_SET_DUMPABLE, 0);
}

/// A descriptor that the caller closed would be the next connection's, and a line of the log would
/// go there. What uses it still fails.
void occupy_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    const bool closed = ::fcntl(descriptor, F_GETFD) < 0;
    if (closed) ::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

/// The buffers of a window are given back and asked for again many times a second: by default glibc
/// hands each to the kernel and has it back in fresh, zeroed pages, which was measured to cost a
/// tenth of all processor time. Other C libraries go on as they do.
void keep_freed_memory() {
#ifdef __GLIBC__
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  lock_memory_out_of_files();
  occupy_standard_descriptors();
  keep_freed_memory();
  std::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    return sluice::run_program(arguments, sluice::process_environment());
  } catch (const std::exception& error) {
    sluice::log().write_with_hint(sluice::Level::error, "bug", error.what(),
                                  "report it with this line; no message is lost, run again");
    return exit_status(sluice::Fault::bug);
  }
}
