// SPDX-License-Identifier: Apache-2.0
// One call to SQS, and what became of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "job/base/failure.h"
#include "job/queue/sqs_wire.h"

namespace sluice {

struct SqsCall {
  Operation operation = Operation::receive_message;
  std::string body;
  /// Of the caller, who gets them back.
  std::optional<Ticket> ticket = {};
  std::size_t entries = 0;
  std::int64_t timeout_ms = 10'000;
};

struct SqsOutcome {
  SqsCall call;
  std::string body;                // of a call that succeeded
  std::optional<Failure> failure;  // of one that did not, with SQS's code for it
  std::string code;
};

}  // namespace sluice
