// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>

#include "job/base/failure.h"
#include "job/queue/sqs_wire.h"

namespace sluice {
namespace {

namespace json = boost::json;

json::array names_of(std::span<const std::string_view> names) {
  return json::array(names.begin(), names.end());
}

/// Written, not built of values: with every tenth message one of these is sent. `rest` ends each
/// entry.
std::string handles_request(std::string_view queue_url, std::span<const std::string> handles,
                            std::string_view rest) {
  require(!handles.empty() && handles.size() <= kMostEntries, "a batch has one to ten entries");
  std::string request = R"({"QueueUrl":)" + json::serialize(queue_url) + R"(,"Entries":[)";
  for (std::size_t i = 0; i < handles.size(); ++i) {
    request.append(i == 0 ? "" : ",").append(R"({"Id":")").append(std::to_string(i));
    request.append(R"(","ReceiptHandle":)");
    request.append(json::serialize(std::string_view(handles[i]))).append(rest);
  }
  return request + "]}";
}

json::object entry_of(const OutgoingMessage& message, std::size_t id) {
  json::object entry{{"Id", std::to_string(id)}, {"MessageBody", message.body}};
  json::object attributes;
  for (const auto& [name, value] : message.attributes) {
    attributes[name] = json::object{{"DataType", kTextType}, {"StringValue", value}};
  }
  if (!attributes.empty()) entry["MessageAttributes"] = std::move(attributes);
  if (!message.group.empty()) entry["MessageGroupId"] = message.group;
  if (!message.deduplication.empty()) entry["MessageDeduplicationId"] = message.deduplication;
  return entry;
}

}  // namespace

std::string_view name_of(Operation operation) {
  switch (operation) {
    case Operation::get_queue_url:
      return "GetQueueUrl";
    case Operation::get_queue_attributes:
      return "GetQueueAttributes";
    case Operation::receive_message:
      return "ReceiveMessage";
    case Operation::delete_message_batch:
      return "DeleteMessageBatch";
    case Operation::change_message_visibility_batch:
      return "ChangeMessageVisibilityBatch";
    case Operation::send_message_batch:
      return "SendMessageBatch";
  }
  bug("an operation without a name");
}

std::string_view right_for(Operation operation) {
  switch (operation) {
    case Operation::get_queue_url:
      return "sqs:GetQueueUrl";
    case Operation::get_queue_attributes:
      return "sqs:GetQueueAttributes";
    case Operation::receive_message:
      return "sqs:ReceiveMessage";
    case Operation::delete_message_batch:
      return "sqs:DeleteMessage";
    case Operation::change_message_visibility_batch:
      return "sqs:ChangeMessageVisibility";
    case Operation::send_message_batch:
      return "sqs:SendMessage";
  }
  bug("an operation without a right");
}

bool is_fifo(std::string_view queue_url_or_name) { return queue_url_or_name.ends_with(".fifo"); }

std::string queue_url_request(std::string_view name, std::string_view account) {
  json::object request{{"QueueName", name}};
  if (!account.empty()) request["QueueOwnerAWSAccountId"] = account;
  return json::serialize(request);
}

std::string attributes_request(std::string_view queue_url,
                               std::span<const std::string_view> names) {
  return json::serialize(
      json::object{{"QueueUrl", queue_url}, {"AttributeNames", names_of(names)}});
}

std::string receive_request(std::string_view queue_url, const ReceiveWish& wish) {
  require(wish.most >= 1 && wish.most <= 10, "a receive asks for one to ten messages");
  // Each name costs bytes in every message, so only what is used; on a standard queue the last two
  // do not exist.
  constexpr std::string_view kSystemNames[] = {"ApproximateReceiveCount", "SentTimestamp",
                                               "MessageGroupId", "SequenceNumber"};
  const std::size_t used = is_fifo(queue_url) ? 4 : 2;
  json::object request{
      {"QueueUrl", queue_url},
      {"MaxNumberOfMessages", wish.most},
      {"WaitTimeSeconds", wish.wait_s},
      {"VisibilityTimeout", wish.visibility_s},
      {"MessageSystemAttributeNames", names_of(std::span(kSystemNames).first(used))}};
  if (!wish.attribute_names.empty()) {
    request["MessageAttributeNames"] =
        json::array(wish.attribute_names.begin(), wish.attribute_names.end());
  }
  if (!wish.attempt_id.empty()) request["ReceiveRequestAttemptId"] = wish.attempt_id;
  return json::serialize(request);
}

std::string delete_request(std::string_view queue_url, std::span<const std::string> handles) {
  return handles_request(queue_url, handles, "}");
}

std::string hide_request(std::string_view queue_url, std::span<const std::string> handles,
                         int visibility_s) {
  return handles_request(queue_url, handles,
                         R"(,"VisibilityTimeout":)" + std::to_string(visibility_s) + "}");
}

std::string send_request(std::string_view queue_url, std::span<const OutgoingMessage> messages,
                         std::span<const std::size_t> positions) {
  require(positions.size() <= kMostEntries, "a batch has at most ten entries");
  json::array entries;
  for (const std::size_t position : positions) {
    entries.push_back(entry_of(messages[position], entries.size()));
  }
  return json::serialize(json::object{{"QueueUrl", queue_url}, {"Entries", std::move(entries)}});
}

}  // namespace sluice
