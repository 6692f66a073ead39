// SPDX-License-Identifier: Apache-2.0
#include "job/queue/sqs_queue.h"

#include <algorithm>
#include <utility>

#include "job/base/clock.h"
#include "job/base/log.h"
#include "job/base/random.h"

namespace sluice {
namespace {

// SQS must have answered a long poll by then; a shorter deadline would lose messages for their
// visibility timeout.
constexpr std::int64_t kGraceMs = 10'000;
// A body that never matches its digest would otherwise come straight back, and a run would never
// see the queue empty.
constexpr int kDamagedPauseS = 30;
constexpr std::int64_t kBlockingStepMs = 60'000;

constexpr const char* kNoSuchHandle = "sluice-asks-whether-it-may";

std::string name_in(const SqsSettings& settings) {
  if (settings.queue_url.empty()) return settings.queue_name;
  return settings.queue_url.substr(settings.queue_url.rfind('/') + 1);
}

}  // namespace

SqsQueue::SqsQueue(SqsSettings settings)
    : url_(settings.queue_url),
      name_(name_in(settings)),
      account_(std::move(settings.account)),
      endpoint_(settings.access.endpoint.url),
      attribute_names_(std::move(settings.attribute_names)),
      client_(std::move(settings.access), name_) {}

// ---- blocking ----

SqsOutcome SqsQueue::call(SqsCall call) {
  require(client_.is_idle(), "a blocking call beside orders");
  client_.start(std::move(call));
  std::vector<SqsOutcome> outcomes;
  bool woken = false;
  while (outcomes.empty()) woken = client_.wait(kBlockingStepMs, outcomes) || woken;
  if (woken) client_.wake();  // it was meant for the next `wait`
  return std::move(outcomes.front());
}

std::string SqsQueue::answer_to(SqsCall asked) {
  SqsOutcome outcome = call(std::move(asked));
  if (outcome.failure) throw *outcome.failure;
  return std::move(outcome.body);
}

void SqsQueue::resolve() {
  if (!url_.empty()) return;
  const Operation operation = Operation::get_queue_url;
  const std::string body = answer_to({operation, queue_url_request(name_, account_)});
  const auto url = parse_queue_url(body);
  if (!url) throw foreign_answer(operation, name_, endpoint_);
  url_ = *url;
}

QueueFacts SqsQueue::facts() {
  const Operation operation = Operation::get_queue_attributes;
  const auto attributes =
      parse_attributes(answer_to({operation, attributes_request(url_, kFactNames)}));
  const auto facts = attributes ? facts_of(url_, *attributes) : std::nullopt;
  if (!facts) throw foreign_answer(operation, name_, endpoint_);
  return *facts;
}

QueueCounts SqsQueue::counts() {
  const Operation operation = Operation::get_queue_attributes;
  const auto attributes =
      parse_attributes(answer_to({operation, attributes_request(url_, kCountNames)}));
  const auto counts = attributes ? counts_of(*attributes) : std::nullopt;
  if (!counts) throw foreign_answer(operation, name_, endpoint_);
  return *counts;
}

void SqsQueue::probe_rights() {
  const std::vector<std::string> handles = {kNoSuchHandle};
  probe({Operation::delete_message_batch, delete_request(url_, handles)});
  probe({Operation::change_message_visibility_batch, hide_request(url_, handles, 0)});
}

/// Whoever looked at the handle and refused it had let us in.
void SqsQueue::probe(SqsCall asked) {
  const SqsOutcome outcome = call(std::move(asked));
  if (!outcome.failure) return;
  if (outcome.code == "ReceiptHandleIsInvalid" || outcome.code == "InvalidParameterValue") return;
  throw *outcome.failure;
}

// ---- orders ----

void SqsQueue::receive(Ticket ticket, int most, int wait_s, int visibility_s) {
  // Fresh for each order and the same in its retries: so a lost answer is given again.
  const std::string attempt_id = is_fifo(url_) ? random_uuid() : "";
  client_.start({Operation::receive_message,
                 receive_request(url_, {most, wait_s, visibility_s, attempt_id, attribute_names_}),
                 ticket, 0, std::int64_t{wait_s} * 1000 + kGraceMs});
}

void SqsQueue::remove(Ticket ticket, const std::vector<std::string>& handles) {
  client_.start(
      {Operation::delete_message_batch, delete_request(url_, handles), ticket, handles.size()});
}

void SqsQueue::hide(Ticket ticket, const std::vector<std::string>& handles, int visibility_s) {
  client_.start({Operation::change_message_visibility_batch,
                 hide_request(url_, handles, visibility_s), ticket, handles.size()});
}

void SqsQueue::count(Ticket ticket) {
  client_.start({Operation::get_queue_attributes, attributes_request(url_, kCountNames), ticket});
}

void SqsQueue::give_back(const std::vector<std::string>& damaged_handles) {
  log().write_with_hint(Level::warning, "message-damaged",
                        std::to_string(damaged_handles.size()) +
                            " messages do not match their digest and were given back",
                        "if it goes on, look at what lies between this host and " + endpoint_);
  client_.start({Operation::change_message_visibility_batch,
                 hide_request(url_, damaged_handles, kDamagedPauseS)});
}

// ---- answers ----

void SqsQueue::wait(std::int64_t at_most_ms, std::vector<QueueAnswer>& answers) {
  const std::size_t before = answers.size();
  const std::int64_t start = now().steady_ms;
  while (true) {
    std::vector<SqsOutcome> outcomes;
    const bool woken = client_.wait(at_most_ms - (now().steady_ms - start), outcomes);
    for (const SqsOutcome& outcome : outcomes) {
      if (outcome.call.ticket) answers.push_back(answer_of(outcome));  // else our own `give_back`
    }
    if (woken || answers.size() > before || now().steady_ms - start >= at_most_ms) return;
  }
}

QueueAnswer SqsQueue::answer_of(const SqsOutcome& outcome) {
  const Ticket ticket = *outcome.call.ticket;
  const Operation operation = outcome.call.operation;
  if (operation == Operation::receive_message && outcome.code == "OverLimit") {
    return Received{ticket, {}, true};
  }
  if (outcome.failure) return CallFailed{ticket, *outcome.failure};
  if (operation == Operation::receive_message) {
    if (auto received = parse_received(outcome.body)) {
      if (!received->damaged_handles.empty()) give_back(received->damaged_handles);
      return Received{ticket, std::move(received->messages), false};
    }
  } else if (operation == Operation::get_queue_attributes) {
    const auto attributes = parse_attributes(outcome.body);
    const auto counts = attributes ? counts_of(*attributes) : std::nullopt;
    if (counts) return Counted{ticket, *counts};
  } else if (auto results = parse_batch(outcome.body, outcome.call.entries)) {
    return BatchAnswered{ticket, std::move(*results)};
  }
  return CallFailed{ticket, foreign_answer(operation, name_, endpoint_)};
}

}  // namespace sluice
