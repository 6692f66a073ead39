// SPDX-License-Identifier: Apache-2.0
// A call that SQS refused for good, in words for an operator.
#pragma once

#include <string>

#include "job/base/failure.h"
#include "job/queue/sqs_wire.h"

namespace sluice {

struct RefusedCall {
  Operation operation = Operation::receive_message;
  std::string queue;  // its name
  std::string region;
  std::string endpoint;
  std::string credentials_origin;
  int attempts = 1;
  int status = 0;  // 0: there was no answer, and `error.message` says why
  ServiceError error;
  std::string request_id;
};

/// Names the operation, the queue, the region, the code and the request id; the hint fits the code.
Failure failure_of(const RefusedCall& call);

/// It waited for its turn until it was too late.
Failure had_no_turn(Operation operation, const std::string& queue);

/// It was not sent, or not again, because the run stops.
Failure was_withdrawn(Operation operation, const std::string& queue);

/// It was answered with success, but not as SQS does.
Failure foreign_answer(Operation operation, const std::string& queue, const std::string& endpoint);

}  // namespace sluice
