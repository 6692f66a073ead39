// SPDX-License-Identifier: Apache-2.0
#include "job/queue/sqs_client.h"

#include <algorithm>
#include <utility>

#include "job/base/clock.h"
#include "job/base/log.h"
#include "job/base/text.h"

namespace sluice {
namespace {

constexpr std::int64_t kLongestWaitMs = 86'400'000;
constexpr std::int64_t kRenewalStepMs = 50;

/// As many as help: with a service 20 ms away, 128 calls of ten messages at a time are 64,000
/// messages a second. How many receives and deletes that is, --receivers decides.
int most_under_way(Operation operation) {
  const bool often =
      operation == Operation::receive_message || operation == Operation::delete_message_batch;
  return often ? 128 : 32;
}

void log_retry(const RefusedCall& refused, std::int64_t pause_ms) {
  const std::string operation(name_of(refused.operation));
  log().write(Level::debug, "sqs-retry", operation + " will be sent again",
              {{"operation", operation},
               {"status", std::int64_t{refused.status}},
               {"code", refused.error.code},
               {"attempt", std::int64_t{refused.attempts}},
               {"delay_ms", pause_ms}});
}

}  // namespace

SqsClient::SqsClient(SqsAccess access, std::string queue)
    : access_(std::move(access)),
      queue_(std::move(queue)),
      signer_(std::move(access_.credentials), access_.endpoint.region, "sqs"),
      http_({access_.ca_bundle, access_.user_agent}),
      random_(std::random_device{}()) {
  for (std::size_t i = 0; i < kOperations; ++i) {
    lanes_.push_back({Pace(most_under_way(static_cast<Operation>(i)))});
  }
}

SqsClient::Lane& SqsClient::lane_of(const Attempt& attempt) {
  return lanes_[static_cast<std::size_t>(attempt.call.operation)];
}

void SqsClient::start(SqsCall call) {
  Attempt attempt;
  attempt.call = std::move(call);
  attempt.order = ++last_order_;
  attempt.began_ms = now().steady_ms;
  attempt.successes = lane_of(attempt).traffic.ok;
  enqueue(std::move(attempt));
}

void SqsClient::enqueue(Attempt attempt) {
  Lane& lane = lane_of(attempt);
  const bool may_go = lane.waiting.empty() && lane.pace.has_room() && !lane.closed;
  if (may_go) return send(std::move(attempt));
  lane.waiting.emplace(attempt.order, std::move(attempt));
}

void SqsClient::send(Attempt attempt) {
  Lane& lane = lane_of(attempt);
  ++lane.traffic.sent;
  if (++attempt.number > 1) ++lane.traffic.repeated;
  attempt.round = lane.pace.sent();
  HttpRequest request;
  request.origin = access_.endpoint.url;
  request.path = access_.endpoint.path;
  request.headers = {{"Host", access_.endpoint.host},
                     {"Content-Type", "application/x-amz-json-1.0"},
                     {"X-Amz-Target", "AmazonSQS." + std::string(name_of(attempt.call.operation))}};
  request.body = attempt.call.body;
  request.timeout_ms = attempt.call.timeout_ms;
  attempt.basis = signer_.sign(request, now().wall_ms);
  http_.start(++last_ticket_, std::move(request));
  sent_.emplace(last_ticket_, std::move(attempt));
}

/// Whoever asked first goes first, also for another attempt.
void SqsClient::advance(Lane& lane, Outcomes& outcomes) {
  while (!lane.waiting.empty() && lane.pace.has_room() && !lane.closed) {
    Attempt attempt = std::move(lane.waiting.extract(lane.waiting.begin()).mapped());
    if (now().steady_ms - attempt.began_ms < kPatienceMs) {
      send(std::move(attempt));
      continue;
    }
    Failure failure = had_no_turn(attempt.call.operation, queue_);
    outcomes.push_back({std::move(attempt.call), "", std::move(failure), ""});
  }
}

bool SqsClient::wait(std::int64_t at_most_ms, Outcomes& outcomes) {
  const std::size_t before = outcomes.size();
  const std::int64_t end =
      now().steady_ms + std::clamp<std::int64_t>(at_most_ms, 0, kLongestWaitMs);
  std::vector<HttpAnswer> answers;
  while (true) {
    std::int64_t current = now().steady_ms;
    fail_unsent(outcomes);
    if (!renewing_.empty()) look_at_renewals(outcomes);
    while (!resting_.empty() && resting_.begin()->first <= current) {
      enqueue(std::move(resting_.extract(resting_.begin()).mapped()));
    }
    std::int64_t next = resting_.empty() ? end : std::min(end, resting_.begin()->first);
    if (!renewing_.empty()) next = std::min(next, current + kRenewalStepMs);
    if (outcomes.size() > before) next = current;
    answers.clear();
    const bool woken = http_.wait(next - current, answers);
    for (HttpAnswer& answer : answers) settle(std::move(answer), outcomes);
    current = now().steady_ms;
    if (woken || outcomes.size() > before || current >= end) return woken;
  }
}

void SqsClient::settle(HttpAnswer answer, Outcomes& outcomes) {
  Attempt attempt = std::move(sent_.extract(answer.ticket).mapped());
  Lane& lane = lane_of(attempt);
  if (answer.status == 200) {
    lane.pace.succeeded();
    ++lane.traffic.ok;
    budget_.succeeded(attempt.retries_cost);
    outcomes.push_back({std::move(attempt.call), std::move(answer.body), std::nullopt, ""});
  } else {
    ++lane.traffic.failed;
    settle_refused(std::move(attempt), answer, outcomes);
  }
  advance(lane, outcomes);
}

void SqsClient::settle_refused(Attempt attempt, const HttpAnswer& answer, Outcomes& outcomes) {
  RefusedCall refused;
  refused.operation = attempt.call.operation;
  refused.queue = queue_;
  refused.region = access_.endpoint.region;
  refused.endpoint = access_.endpoint.url;
  refused.credentials_origin = attempt.basis.credentials->origin;
  refused.attempts = attempt.number;
  refused.status = answer.status;
  refused.error = answer.status == 0
                      ? ServiceError{"", answer.error}
                      : parse_error(answer.body, answer.header("x-amzn-query-error"));
  refused.request_id = answer.header("x-amzn-requestid");

  const ErrorClass error = classify(refused.error.code, answer.status);
  Lane& lane = lane_of(attempt);
  if (error == ErrorClass::throttle) {
    lane.pace.throttled(attempt.round);
  } else {
    lane.pace.ended();
  }
  if (error == ErrorClass::clock && !attempt.clock_corrected &&
      signer_.corrects_clock(attempt.basis, answer.date_ms(), now().wall_ms)) {
    attempt.clock_corrected = true;
    enqueue(std::move(attempt));
  } else if (error == ErrorClass::credentials && !attempt.credentials_renewed) {
    attempt.credentials_renewed = true;
    renewing_.emplace_back(std::move(attempt), std::move(refused));
  } else if (const auto pause = pause_before_retry(attempt, error, answer)) {
    attempt.retries_cost += budget_.take(error);
    log_retry(refused, *pause);
    resting_.emplace(now().steady_ms + *pause, std::move(attempt));
  } else {
    outcomes.push_back(
        {std::move(attempt.call), "", failure_of(refused), std::move(refused.error.code)});
  }
}

std::optional<std::int64_t> SqsClient::pause_before_retry(const Attempt& attempt, ErrorClass error,
                                                          const HttpAnswer& answer) {
  const OtherCalls others{.succeed = lane_of(attempt).traffic.ok > attempt.successes,
                          .budget_is_low = budget_.is_low(error)};
  const double random = std::uniform_real_distribution<double>(0, 1)(random_);
  return access_.retry.delay_ms(error, attempt.number, now().steady_ms - attempt.began_ms, random,
                                parse_integer<std::int64_t>(answer.header("x-amz-retry-after")),
                                others);
}

/// Those whose credentials were refused go on with others, once, or end.
void SqsClient::look_at_renewals(Outcomes& outcomes) {
  LiveCredentials& credentials = signer_.credentials();
  for (auto& [attempt, refused] : std::exchange(renewing_, {})) {
    switch (credentials.renew(attempt.basis.credentials)) {
      case LiveCredentials::Renewal::done:
        enqueue(std::move(attempt));
        continue;
      case LiveCredentials::Renewal::under_way:
        if (now().steady_ms - attempt.began_ms < kPatienceMs) {
          renewing_.emplace_back(std::move(attempt), std::move(refused));
          continue;
        }
        break;
      case LiveCredentials::Renewal::failed:
        break;
    }
    // Of a provider that cannot be reached nobody knows whether it would have refused.
    std::optional<Failure> failure = credentials.failure();
    const bool away = failure && failure->fault() == Fault::temporary;
    outcomes.push_back({std::move(attempt.call), "", away ? *failure : failure_of(refused),
                        std::move(refused.error.code)});
  }
}

void SqsClient::close(Operation operation) {
  lanes_[static_cast<std::size_t>(operation)].closed = true;
}

void SqsClient::fail_unsent(Outcomes& outcomes) {
  const auto fails = [&](Attempt& attempt) {
    if (!lane_of(attempt).closed) return false;
    const Operation operation = attempt.call.operation;
    outcomes.push_back({std::move(attempt.call), "", was_withdrawn(operation, queue_), ""});
    return true;
  };
  for (Lane& lane : lanes_) {
    if (!lane.closed) continue;
    for (auto& [order, attempt] : std::exchange(lane.waiting, {})) fails(attempt);
  }
  for (auto each = resting_.begin(); each != resting_.end();) {
    each = fails(each->second) ? resting_.erase(each) : std::next(each);
  }
  std::erase_if(renewing_, [&](auto& each) { return fails(each.first); });
}

void SqsClient::abandon() {
  http_.abandon();
  sent_.clear();
  resting_.clear();
  renewing_.clear();
  for (Lane& lane : lanes_) {
    lane.waiting.clear();
    lane.pace.forget();
  }
}

Requests SqsClient::requests() const {
  Requests requests;
  for (std::size_t i = 0; i < kOperations; ++i) {
    if (lanes_[i].traffic.sent == 0) continue;
    requests.emplace(name_of(static_cast<Operation>(i)), lanes_[i].traffic);
  }
  return requests;
}

}  // namespace sluice
