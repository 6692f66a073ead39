// SPDX-License-Identifier: Apache-2.0
// An SQS by others that ctest started for this run: tests/foreign/server.py.
#pragma once

#include <optional>
#include <string>

#include "tests/support/sqs_caller.h"

namespace sluice {

/// "elasticmq" or "moto"; nothing when it is not there, because its registry could not be reached:
/// then a test may skip itself. With CI=true, where nobody would see that, this throws.
std::optional<SqsAddress> find_foreign_server(const std::string& name);

/// A queue of a test's own on such a server; gone with the object.
class ForeignQueue {
 public:
  /// `attributes` as CreateQueue takes them; a FIFO queue's `name` ends in ".fifo". The real name
  /// differs, so that tests may run side by side.
  ForeignQueue(SqsAddress address, const std::string& name, boost::json::object attributes);
  ~ForeignQueue();
  ForeignQueue(const ForeignQueue&) = delete;
  ForeignQueue& operator=(const ForeignQueue&) = delete;

  const std::string& url() const { return url_; }
  const SqsAddress& address() const { return caller_.address(); }
  /// With the queue's URL added to `request`.
  boost::json::object call(const std::string& operation, boost::json::object request);
  /// What it holds, seen or hidden, as it counts itself.
  std::int64_t left();

 private:
  SqsCaller caller_;
  std::string url_;
};

}  // namespace sluice
