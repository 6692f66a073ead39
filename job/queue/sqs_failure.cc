// SPDX-License-Identifier: Apache-2.0
#include "job/queue/sqs_failure.h"

#include "job/aws/retry.h"
#include "job/base/text.h"

namespace sluice {
namespace {

std::string cause_of(const RefusedCall& call, ErrorClass error) {
  if (call.status == 0)
    return "cannot reach " + call.endpoint + ": " + printable(call.error.message);
  std::string cause = call.error.code.empty() ? "status " + std::to_string(call.status)
                                              : printable(call.error.code, 80);
  // What AWS says of a wrong signature may repeat the signed headers, with the session token in
  // them.
  if (error != ErrorClass::clock && !call.error.message.empty()) {
    cause += ": " + printable(call.error.message);
  }
  if (!call.request_id.empty()) cause += " (request " + printable(call.request_id, 80) + ")";
  return cause;
}

std::string right_that_lacks(const RefusedCall& call) {
  const bool sends = call.operation == Operation::send_message_batch;
  const std::string queue = sends ? "the dead-letter queue" : "the queue";
  if (lower_ascii(call.error.code).starts_with("kms")) {
    return std::string(sends ? "kms:GenerateDataKey and " : "") + "kms:Decrypt on the key of " +
           queue;
  }
  return std::string(right_for(call.operation)) + " on " + queue;
}

std::string hint_for(const RefusedCall& call, ErrorClass error) {
  const std::string& code = call.error.code;
  switch (error) {
    case ErrorClass::throttle:
      return "run again later, or with fewer --receivers";
    case ErrorClass::transient:
      return call.status == 0
                 ? "check the endpoint " + call.endpoint + " and the network; run again later"
                 : "run again later";
    case ErrorClass::back_pressure:
      return "run again when other consumers have deleted what they hold";
    case ErrorClass::clock:
      return code.starts_with("Request")
                 ? "set the clock of this host"
                 : "check the secret key in " + call.credentials_origin +
                       ", the clock of this host, and that the queue is in region " + call.region;
    case ErrorClass::credentials:
      return code.starts_with("ExpiredToken")
                 ? "renew the session token in " + call.credentials_origin
                 : "check the access key in " + call.credentials_origin;
    case ErrorClass::fatal_rights:
      return "grant " + right_that_lacks(call) + " to the owner of the credentials of " +
             call.credentials_origin;
    case ErrorClass::fatal_configuration:
      return code == "QueueDoesNotExist"
                 ? "check the queue's name and account, and that it is in region " + call.region
                 : "check the queue, the region and the endpoint " + call.endpoint;
    case ErrorClass::our_bug:
      return "report it with this line and the version; no message is lost";
  }
  return "";
}

}  // namespace

Failure failure_of(const RefusedCall& call) {
  const ErrorClass error = classify(call.error.code, call.status);
  std::string message = std::string(name_of(call.operation)) + " on queue " +
                        printable(call.queue, 100) + " in " + call.region + ": " +
                        cause_of(call, error);
  if (call.attempts > 1) message += ", after " + std::to_string(call.attempts) + " attempts";
  return {fault_of(error), std::move(message), hint_for(call, error)};
}

Failure had_no_turn(Operation operation, const std::string& queue) {
  return {Fault::temporary,
          std::string(name_of(operation)) + " on queue " + printable(queue, 100) +
              ": had no turn within " + format_duration(kPatienceMs) +
              ", because calls before it were throttled or not answered",
          "run again later, or with fewer --receivers"};
}

Failure was_withdrawn(Operation operation, const std::string& queue) {
  return {Fault::temporary,
          std::string(name_of(operation)) + " on queue " + printable(queue, 100) +
              ": withdrawn, because the run stops",
          "run again"};
}

Failure foreign_answer(Operation operation, const std::string& queue, const std::string& endpoint) {
  return {Fault::temporary,
          std::string(name_of(operation)) + " on queue " + printable(queue, 100) + ": " + endpoint +
              " answered with success, but not as SQS does",
          "check that the endpoint is SQS and no proxy answers for it"};
}

}  // namespace sluice
