// SPDX-License-Identifier: Apache-2.0
// Ends whatever waits for Postgres, from any thread or a signal handler. Once raised it stays
// raised.
#pragma once

namespace sluice {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  void raise() noexcept;
  /// Readable once raised.
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace sluice
