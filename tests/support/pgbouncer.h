// SPDX-License-Identifier: Apache-2.0
// A pgbouncer of one test, in transaction mode, in front of a cluster.
#pragma once

#include <string>

#include <sys/types.h>

#include "tests/support/postgres.h"

namespace sluice {

class PgBouncer {
 public:
  /// With so many connections to each database, fewer than its clients want. Returns when it
  /// answers.
  PgBouncer(const TestCluster& cluster, int connections);
  ~PgBouncer();
  PgBouncer(const PgBouncer&) = delete;
  PgBouncer& operator=(const PgBouncer&) = delete;

  const std::string& port() const { return port_; }

 private:
  std::string folder_;
  std::string port_;
  pid_t pid_ = -1;
};

}  // namespace sluice
