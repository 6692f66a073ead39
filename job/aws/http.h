// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1, many requests at once on one thread. Any answer is an answer, whatever its status.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "job/aws/request.h"

namespace sluice {

struct HttpAnswer {
  std::uint64_t ticket = 0;
  int status = 0;     // 0: no answer came, and `error` says why
  std::string error;  // lower case, without values of the request
  std::vector<Header> headers;
  std::string body;
  std::optional<std::int64_t> date_ms;  // the server's clock, when it told it

  /// By lower-case name; empty when absent.
  std::string_view header(std::string_view name) const;
};

inline constexpr const char* kUserAgent = "sluice/" SLUICE_VERSION;

struct HttpSettings {
  std::string ca_bundle;  // empty: the system's
  std::string user_agent = kUserAgent;
};

/// Redirects are not followed: the signature would not fit, and the session token would travel
/// along. Proxies as libcurl reads them from the environment, but never for loopback and metadata
/// addresses.
class Http {
 public:
  explicit Http(const HttpSettings& settings);
  ~Http();
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;

  /// Answered through `wait` under its ticket, at the latest after its timeout.
  void start(std::uint64_t ticket, HttpRequest request);
  /// Waits until an answer is there, `at_most_ms` passed or `wake` was called, which it tells by
  /// returning true.
  bool wait(std::int64_t at_most_ms, std::vector<HttpAnswer>& answers);
  /// From any thread.
  void wake();
  /// Drops everything under way; connections with half an answer are closed.
  void abandon();

 private:
  struct Transfer;
  struct CloseMulti {
    void operator()(void* multi) const;
  };

  void collect(std::vector<HttpAnswer>& answers);

  HttpSettings settings_;
  std::unique_ptr<void, CloseMulti> multi_;
  std::map<void*, std::unique_ptr<Transfer>> active_;  // by libcurl's handle
  std::vector<std::unique_ptr<Transfer>> idle_;
  std::atomic<bool> woken_ = false;
};

}  // namespace sluice
