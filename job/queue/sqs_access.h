// SPDX-License-Identifier: Apache-2.0
// How SQS is reached, and as whom.
#pragma once

#include <memory>
#include <string>

#include "job/aws/endpoint.h"
#include "job/aws/live_credentials.h"
#include "job/aws/retry.h"

namespace sluice {

/// Copies share the credentials.
struct SqsAccess {
  Endpoint endpoint;
  std::shared_ptr<LiveCredentials> credentials;
  RetryPolicy retry;
  std::string ca_bundle;   // empty: the system's
  std::string user_agent;  // "sluice/0.1.0"
};

}  // namespace sluice
