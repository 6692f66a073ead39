// SPDX-License-Identifier: Apache-2.0
// SQS's AWS JSON 1.0 protocol: bodies of requests and of answers, nothing of HTTP.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "job/queue/outgoing.h"
#include "job/queue/queue.h"

namespace sluice {

enum class Operation {
  get_queue_url,
  get_queue_attributes,
  receive_message,
  delete_message_batch,
  change_message_visibility_batch,
  send_message_batch,
};
inline constexpr std::size_t kOperations = 6;

/// "ReceiveMessage"
std::string_view name_of(Operation operation);
/// What a policy must allow for it: "sqs:ReceiveMessage".
std::string_view right_for(Operation operation);

/// SQS demands the suffix of FIFO queues, and of no others.
bool is_fifo(std::string_view queue_url_or_name);

// ---- requests ----

/// `account` is empty for the caller's own.
std::string queue_url_request(std::string_view name, std::string_view account);
std::string attributes_request(std::string_view queue_url, std::span<const std::string_view> names);

struct ReceiveWish {
  int most = 10;
  int wait_s = 0;
  int visibility_s = 0;
  std::string attempt_id;  // FIFO only: repeated, it brings the same messages again
  std::vector<std::string> attribute_names;
};
std::string receive_request(std::string_view queue_url, const ReceiveWish& wish);

/// Entries are named by their position: "0" to "9".
std::string delete_request(std::string_view queue_url, std::span<const std::string> handles);
std::string hide_request(std::string_view queue_url, std::span<const std::string> handles,
                         int visibility_s);
/// Those at `positions` of `messages`; none at all is refused by SQS, after it looked at the right.
std::string send_request(std::string_view queue_url, std::span<const OutgoingMessage> messages,
                         std::span<const std::size_t> positions);

// ---- answers: nothing means that SQS would not have answered so ----

struct ReceiveAnswer {
  std::vector<Message> messages;
  /// Their bodies do not match their digest: handles to give them back by, and no more is known of
  /// them.
  std::vector<std::string> damaged_handles;
};
std::optional<ReceiveAnswer> parse_received(std::string_view body);

/// One result an entry of the request, which had `entries`. What the answer does not mention is not
/// done.
std::optional<std::vector<EntryResult>> parse_batch(std::string_view body, std::size_t entries);

std::optional<std::string> parse_queue_url(std::string_view body);

using Attributes = std::map<std::string, std::string, std::less<>>;
std::optional<Attributes> parse_attributes(std::string_view body);

inline constexpr std::string_view kFactNames[] = {"VisibilityTimeout", "MessageRetentionPeriod",
                                                  "RedrivePolicy", "QueueArn"};
std::optional<QueueFacts> facts_of(const std::string& queue_url, const Attributes& attributes);

inline constexpr std::string_view kCountNames[] = {"ApproximateNumberOfMessages",
                                                   "ApproximateNumberOfMessagesNotVisible",
                                                   "ApproximateNumberOfMessagesDelayed"};
std::optional<QueueCounts> counts_of(const Attributes& attributes);

// ---- errors ----

/// A refusal of the call as a whole.
struct ServiceError {
  std::string code;     // without prefix: "QueueDoesNotExist"; empty when none was told
  std::string message;  // AWS's, or what a proxy said instead
};
/// `query_error` is the header x-amzn-query-error.
ServiceError parse_error(std::string_view body, std::string_view query_error);

}  // namespace sluice
