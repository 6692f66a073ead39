// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/interrupt.h"

#include <cstdint>

#include <sys/eventfd.h>
#include <unistd.h>

#include "job/base/failure.h"

namespace sluice {

Interrupt::Interrupt() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0) {
    throw Failure(Fault::temporary, "making an eventfd: no more files can be opened",
                  "raise the limit of open files");
  }
}

Interrupt::~Interrupt() { close(fd_); }

void Interrupt::raise() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(fd_, &one, sizeof one);  // full means raised already
}

}  // namespace sluice
