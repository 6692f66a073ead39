// SPDX-License-Identifier: Apache-2.0
#include "job/queue/sqs_client.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "job/base/clock.h"
#include "job/base/log.h"
#include "job/base/text.h"
#include "job/queue/sqs_failure.h"

namespace sluice {
namespace {

// SQS refuses signatures that are 5 to 15 minutes off; below that a refusal has another reason.
constexpr std::int64_t kClockIsWrongMs = 240'000;
constexpr std::int64_t kLongestWaitMs = 86'400'000;

}  // namespace

SqsClient::SqsClient(SqsAccess access, std::string queue)
    : access_(std::move(access)),
      queue_(std::move(queue)),
      signer_(std::move(access_.credentials), access_.endpoint.region, "sqs"),
      http_({access_.ca_bundle, access_.user_agent}),
      random_(std::random_device{}()) {}

void SqsClient::start(SqsCall call) {
  Attempt attempt;
  attempt.call = std::move(call);
  attempt.began_ms = now().steady_ms;
  send(std::move(attempt));
}

void SqsClient::send(Attempt attempt) {
  const std::string operation(name_of(attempt.call.operation));
  ++attempt.number;
  ++requests_[operation];
  attempt.offset_ms = offset_ms_;
  HttpRequest request;
  request.origin = access_.endpoint.url;
  request.path = access_.endpoint.path;
  request.headers = {{"Host", access_.endpoint.host},
                     {"Content-Type", "application/x-amz-json-1.0"},
                     {"X-Amz-Target", "AmazonSQS." + operation}};
  request.body = attempt.call.body;
  request.timeout_ms = attempt.call.timeout_ms;
  signer_.sign(request, now().wall_ms + offset_ms_);
  http_.start(++last_ticket_, std::move(request));
  sent_.emplace(last_ticket_, std::move(attempt));
}

bool SqsClient::wait(std::int64_t at_most_ms, std::vector<SqsOutcome>& outcomes) {
  const std::size_t before = outcomes.size();
  const std::int64_t end =
      now().steady_ms + std::clamp<std::int64_t>(at_most_ms, 0, kLongestWaitMs);
  std::vector<HttpAnswer> answers;
  while (true) {
    std::int64_t current = now().steady_ms;
    while (!resting_.empty() && resting_.begin()->first <= current) {
      send(std::move(resting_.extract(resting_.begin()).mapped()));
    }
    const std::int64_t next = resting_.empty() ? end : std::min(end, resting_.begin()->first);
    answers.clear();
    const bool woken = http_.wait(next - current, answers);
    for (const HttpAnswer& answer : answers) settle(answer, outcomes);
    current = now().steady_ms;
    if (woken || outcomes.size() > before || current >= end) return woken;
  }
}

void SqsClient::settle(const HttpAnswer& answer, std::vector<SqsOutcome>& outcomes) {
  Attempt attempt = std::move(sent_.extract(answer.ticket).mapped());
  if (answer.status == 200) {
    outcomes.push_back({std::move(attempt.call), answer.body, std::nullopt, ""});
    return;
  }
  const ServiceError error = answer.status == 0
                                 ? ServiceError{"", answer.error}
                                 : parse_error(answer.body, answer.header("x-amzn-query-error"));
  const ErrorClass kind = classify(error.code, answer.status);
  if (kind == ErrorClass::clock && corrects_clock(attempt, answer)) {
    send(std::move(attempt));
    return;
  }
  const std::int64_t current = now().steady_ms;
  const double random = std::uniform_real_distribution<double>(0, 1)(random_);
  const auto delay =
      access_.retry.delay_ms(kind, attempt.number, current - attempt.began_ms, random,
                             parse_integer<std::int64_t>(answer.header("x-amz-retry-after")));
  const std::string operation(name_of(attempt.call.operation));
  if (delay) {
    log().write(Level::debug, "sqs-retry", operation + " will be sent again",
                {{"operation", operation},
                 {"status", std::int64_t{answer.status}},
                 {"code", error.code},
                 {"attempt", std::int64_t{attempt.number}},
                 {"delay_ms", *delay}});
    resting_.emplace(current + *delay, std::move(attempt));
    return;
  }
  Failure failure =
      failure_of({attempt.call.operation, queue_, access_.endpoint.region, access_.endpoint.url,
                  signer_.credentials().origin, attempt.number, answer.status, error,
                  std::string(answer.header("x-amzn-requestid"))});
  outcomes.push_back({std::move(attempt.call), "", std::move(failure), error.code});
}

/// Compared with the clock that this attempt was signed by: another call may have corrected ours in
/// the meantime.
bool SqsClient::corrects_clock(Attempt& attempt, const HttpAnswer& answer) {
  if (attempt.clock_corrected || !answer.date_ms) return false;
  const std::int64_t behind_ms = *answer.date_ms - now().wall_ms;
  if (std::abs(behind_ms - attempt.offset_ms) <= kClockIsWrongMs) return false;
  attempt.clock_corrected = true;
  if (std::abs(behind_ms - offset_ms_) <= kClockIsWrongMs) return true;
  offset_ms_ = behind_ms;
  log().write_with_hint(Level::warning, "clock-is-wrong",
                        "the clocks of this host and of SQS differ by about " +
                            format_duration(std::abs(behind_ms) / 60'000 * 60'000),
                        "set the clock; signatures use that of SQS meanwhile");
  return true;
}

void SqsClient::abandon() {
  http_.abandon();
  sent_.clear();
  resting_.clear();
}

}  // namespace sluice
