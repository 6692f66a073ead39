// SPDX-License-Identifier: Apache-2.0
#include "job/queue/sqs_sender.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

#include "job/base/clock.h"
#include "job/base/text.h"

namespace sluice {
namespace {

constexpr int kRounds = 5;
constexpr std::int64_t kFirstPauseMs = 200;  // doubled each round: 3 s in all
constexpr std::int64_t kStepMs = 60'000;
constexpr std::size_t kSideBySide = 8;

}  // namespace

std::optional<QueueArn> parse_queue_arn(std::string_view arn) {
  const auto parts = split(arn, ':');
  if (parts.size() != 6 || parts[0] != "arn" || parts[2] != "sqs") return std::nullopt;
  if (parts[3].empty() || parts[4].empty() || parts[5].empty()) return std::nullopt;
  return QueueArn{std::string(parts[3]), std::string(parts[4]), std::string(parts[5])};
}

/// What is still to be sent, and what became of the rest.
struct SqsSender::Round {
  std::span<const OutgoingMessage> messages;
  std::vector<bool> taken;
  std::vector<std::size_t> left;   // for this round
  std::vector<std::size_t> again;  // for the next
  std::map<Ticket, std::vector<std::size_t>> under_way = {};
  std::optional<Failure> failure = {};
};

SqsSender::SqsSender(SqsAccess access, const QueueArn& queue)
    : queue_(queue), endpoint_(access.endpoint.url), client_(std::move(access), queue_.name) {}

void SqsSender::interrupt() {
  interrupted_ = true;
  client_.wake();
}

SqsOutcome SqsSender::call(SqsCall call) {
  std::vector<SqsOutcome> outcomes;
  const Operation operation = call.operation;
  client_.start(std::move(call));
  while (outcomes.empty() && !interrupted_) client_.wait(kStepMs, outcomes);
  if (!outcomes.empty()) return std::move(outcomes.front());
  client_.abandon();
  throw Failure(Fault::temporary,
                std::string(name_of(operation)) + " on queue " + queue_.name + ": interrupted",
                "run again");
}

void SqsSender::resolve() {
  if (!url_.empty()) return;
  const Operation operation = Operation::get_queue_url;
  const SqsOutcome outcome = call({operation, queue_url_request(queue_.name, queue_.account)});
  if (outcome.failure) throw *outcome.failure;
  const auto url = parse_queue_url(outcome.body);
  if (!url) throw foreign_answer(operation, queue_.name, endpoint_);
  url_ = *url;
}

void SqsSender::probe() {
  resolve();
  const SqsOutcome outcome = call({Operation::send_message_batch, send_request(url_, {}, {})});
  if (outcome.failure && outcome.code != "EmptyBatchRequest") throw *outcome.failure;
}

std::vector<bool> SqsSender::send(std::vector<OutgoingMessage> messages) {
  Round round{.messages = messages,
              .taken = std::vector<bool>(messages.size()),
              .left = std::vector<std::size_t>(messages.size()),
              .again = {}};
  if (messages.empty() || interrupted_) return round.taken;
  resolve();
  for (OutgoingMessage& message : messages) {
    if (bytes_of(message) > kMostBytesSent) message.attributes.clear();
  }
  std::iota(round.left.begin(), round.left.end(), std::size_t{0});
  std::int64_t pause_ms = kFirstPauseMs;
  for (int i = 1;; ++i) {
    send_round(round);
    round.left = std::exchange(round.again, {});
    if (round.left.empty() || round.failure || i == kRounds || interrupted_) break;
    std::vector<SqsOutcome> none;
    client_.wait(pause_ms, none);
    pause_ms *= 2;
  }
  const bool any = std::find(round.taken.begin(), round.taken.end(), true) != round.taken.end();
  if (round.failure && !any) throw *round.failure;
  return round.taken;
}

/// After a failure nothing more is sent, but what is under way is waited for: it may be taken.
void SqsSender::send_round(Round& round) {
  std::sort(round.left.begin(), round.left.end());
  const auto batches = batches_of(round.messages, round.left);
  const std::size_t most = is_fifo(url_) ? 1 : kSideBySide;
  auto next = batches.begin();
  while (true) {
    while (next != batches.end() && round.under_way.size() < most && !round.failure) {
      const auto ticket = static_cast<Ticket>(next - batches.begin());
      round.under_way.emplace(ticket, *next);
      client_.start({Operation::send_message_batch, send_request(url_, round.messages, *next),
                     ticket, next->size()});
      ++next;
    }
    if (round.under_way.empty()) return;
    std::vector<SqsOutcome> outcomes;
    client_.wait(kStepMs, outcomes);
    for (const SqsOutcome& outcome : outcomes) take(outcome, round);
    if (interrupted_) return client_.abandon();
  }
}

void SqsSender::take(const SqsOutcome& outcome, Round& round) {
  const std::vector<std::size_t> positions =
      std::move(round.under_way.extract(*outcome.call.ticket).mapped());
  if (outcome.failure) {
    if (!round.failure) round.failure = outcome.failure;
    return;
  }
  const auto results = parse_batch(outcome.body, positions.size());
  if (!results) {
    round.failure = foreign_answer(outcome.call.operation, queue_.name, endpoint_);
    return;
  }
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const EntryResult& result = (*results)[i];
    if (result.done) round.taken[positions[i]] = true;
    if (!result.done && !result.sender_fault) round.again.push_back(positions[i]);
  }
}

}  // namespace sluice
