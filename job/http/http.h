// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1, many requests at once on one thread. Any answer is an answer, whatever its status.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "job/http/request.h"
#include "job/http/sockets.h"

namespace sluice {

struct HttpAnswer {
  std::uint64_t ticket = 0;
  int status = 0;     // 0: no answer came, and `error` says why
  std::string error;  // lower case, without values of the request
  std::string head;   // the header lines as they came
  std::string body;

  /// The server's clock, when it told it.
  std::optional<std::int64_t> date_ms() const;
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
  /// returning true. Of many answers that are there it brings a few.
  bool wait(std::int64_t at_most_ms, std::vector<HttpAnswer>& answers);
  /// From any thread.
  void wake() { sockets_.wake(); }
  /// Drops everything under way; connections with half an answer are closed.
  void abandon();

 private:
  struct Transfer;
  struct CloseMulti {
    void operator()(void* multi) const;
  };

  void act(const Sockets::Ready& ready);
  void act(int socket, int ready);
  void collect(std::vector<HttpAnswer>& answers);

  HttpSettings settings_;
  Sockets sockets_;                        // outlives the connections
  std::span<const Sockets::Ready> ready_;  // of its last answer, those whose turn is to come
  std::unique_ptr<void, CloseMulti> multi_;
  std::int64_t due_ms_ = 0;  // when libcurl wants to be called without a socket; steady clock
  std::vector<std::unique_ptr<Transfer>> transfers_;
  std::vector<Transfer*> idle_;
};

}  // namespace sluice
