// SPDX-License-Identifier: Apache-2.0
// What SQS answers, or whoever else is at that address.
#include <algorithm>

#include <boost/json.hpp>

#include "job/queue/body_digest.h"
#include "job/queue/sqs_failure.h"
#include "tests/fuzz/properties.h"
#include "tests/fuzz/same_message.h"
#include "tests/fuzz/targets.h"

namespace sluice::fuzz {
namespace {

namespace json = boost::json;

std::string printed(const std::vector<Message>& messages) {
  json::array array;
  for (const Message& message : messages) {
    json::object attributes;
    for (const MessageAttribute& each : message.attributes) {
      attributes[each.name] = {
          {"DataType", each.type},
          {each.type.starts_with("Binary") ? "BinaryValue" : "StringValue", each.value}};
    }
    array.push_back({{"MessageId", message.id},
                     {"ReceiptHandle", message.receipt},
                     {"Body", message.body},
                     {"MessageAttributes", attributes},
                     {"Attributes",
                      {{"SentTimestamp", std::to_string(message.sent_ms)},
                       {"ApproximateReceiveCount", std::to_string(message.receive_count)},
                       {"SequenceNumber", message.sequence},
                       {"MessageGroupId", message.group}}}});
  }
  return json::serialize(json::object{{"Messages", array}});
}

void check_received(std::string_view input) {
  const auto answer = parse_received(input);
  if (!answer) return;
  for (const Message& message : answer->messages) {
    must_hold(!message.id.empty() && !message.receipt.empty(), "a message can be deleted");
  }
  for (const std::string& handle : answer->damaged_handles) {
    must_hold(!handle.empty(), "and so can a damaged one be given back");
  }
  const auto again = parse_received(printed(answer->messages));
  must_hold(again && again->damaged_handles.empty(), "what was accepted is accepted again");
  must_hold(std::equal(again->messages.begin(), again->messages.end(), answer->messages.begin(),
                       answer->messages.end(), same),
            "and is the same");
}

void check_batch(std::string_view input) {
  constexpr std::size_t kEntries = 10;
  const auto results = parse_batch(input, kEntries);
  if (!results) return;
  must_hold(results->size() == kEntries, "there is a result an entry");
  for (const EntryResult& result : *results) {
    must_hold(!(result.done && result.sender_fault), "what is done is nobody's fault");
  }
}

void check_facts(std::string_view input) {
  const auto attributes = parse_attributes(input);
  if (!attributes) return;
  counts_of(*attributes);
  const auto facts = facts_of("https://sqs/q", *attributes);
  must_hold(!facts || facts->url == "https://sqs/q", "facts are of this queue");
}

void check_error(std::string_view input) {
  const ServiceError error = parse_error(input, "");
  must_hold(error.code.size() <= input.size() + 20 && error.message.size() <= input.size(),
            "an error is no longer than the answer");
  for (const int status : {400, 403, 500}) {
    RefusedCall call;
    call.status = status;
    call.error = error;
    const Failure failure = failure_of(call);
    must_hold(failure.message().size() < 1000, "what is said of it is short");
    must_hold(failure.message().find_first_of("\n\t\x1b") == std::string::npos, "and of one line");
  }
}

}  // namespace

void sqs_answer(std::string_view input) {
  check_received(input);
  check_batch(input);
  check_facts(input);
  check_error(input);
  const auto url = parse_queue_url(input);
  must_hold(!url || !url->empty(), "a queue's URL");
}

}  // namespace sluice::fuzz
