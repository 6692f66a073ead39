// SPDX-License-Identifier: Apache-2.0
// A plain HTTP/1.1 server on a free port of 127.0.0.1, a thread for each connection.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/sandbox_sigv4.h"

namespace sluice {

struct SandboxAnswer {
  int status = 200;
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::chrono::milliseconds trickle{0};  // between the pieces of the body; 0: it comes whole
};

/// As the header Date has it.
std::string http_date(std::int64_t wall_ms);

class SandboxHttp {
 public:
  /// From many threads at once; nothing = close the connection without an answer.
  using Handler = std::function<std::optional<SandboxAnswer>(const SandboxRequest&)>;

  explicit SandboxHttp(Handler handler);
  /// Ends every connection; waits for handlers that are still running.
  ~SandboxHttp();

  std::uint16_t port() const;
  /// Connections so far.
  std::uint64_t accepted() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice
