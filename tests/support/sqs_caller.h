// SPDX-License-Identifier: Apache-2.0
// Calls to an SQS one by one, without our client: how a test fills a queue, looks at it, or shows
// what a server answers.
#pragma once

#include <string>

#include <boost/json/object.hpp>

#include "job/aws/sigv4.h"
#include "job/http/http.h"

namespace sluice {

struct SqsAddress {
  std::string endpoint;  // "http://127.0.0.1:4566"
  std::string access_key;
  std::string secret_key;
  std::string session_token = {};
};

class SqsCaller {
 public:
  explicit SqsCaller(SqsAddress address);

  const SqsAddress& address() const { return address_; }

  /// As it came; status 0 when nothing came in time.
  HttpAnswer ask(const std::string& operation, const boost::json::object& request,
                 std::int64_t timeout_ms = 30'000);
  /// The answer; throws std::runtime_error with it unless its status is 200.
  boost::json::object call(const std::string& operation, const boost::json::object& request);

 private:
  SqsAddress address_;
  Signer signer_;
  Http http_;
};

}  // namespace sluice
