// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sandbox_sqs.h"

#include <algorithm>
#include <chrono>

#include <boost/json.hpp>

#include "job/base/failure.h"
#include "tests/support/sandbox_message.h"
#include "tests/support/sandbox_refusal.h"

namespace sluice {
namespace {

namespace json = boost::json;

std::string text(const json::object& object, std::string_view name) {
  return std::string(object.at(name).get_string());
}

int number_or(const json::object& object, std::string_view name, int otherwise) {
  const json::value* value = object.if_contains(name);
  return value == nullptr ? otherwise : static_cast<int>(value->get_int64());
}

/// A client that asks whether it may send sends nothing: SQS looks at its rights first, then
/// refuses. That is no mistake of the client, so the shapes let it pass.
void refuse_empty(const json::array& entries) {
  if (entries.empty()) {
    throw SandboxRefusal("EmptyBatchRequest", "There should be at least one entry in the request");
  }
}

/// Each entry alone: some may fail while the call as a whole succeeds. Written as text, because a
/// bench waits for it.
template <typename Act>
std::string batch(const json::object& request, const SandboxFault& fault, Act act) {
  std::string done;
  std::string failed;
  int to_fail = fault.fail_entries;
  const json::array& entries = request.at("Entries").get_array();
  refuse_empty(entries);
  const auto list = [](std::string& into, const json::object& entry, const json::object& result) {
    into += into.empty() ? R"({"Id":)" : R"(,{"Id":)";
    append_json_text(into, entry.at("Id").get_string());
    if (result.empty()) {
      into += '}';
    } else {
      into.append(",").append(json::serialize(result), 1);
    }
  };
  for (const json::value& value : entries) {
    const json::object& entry = value.get_object();
    try {
      if (to_fail-- > 0) {
        throw entry_refusal(fault);
      }
      list(done, entry, act(entry));
    } catch (const SandboxRefusal& refusal) {
      list(failed, entry,
           {{"SenderFault", refusal.sender_fault()},
            {"Code", refusal.code()},
            {"Message", refusal.message()}});
    }
  }
  std::string answer = "{";
  if (!done.empty()) answer.append(R"("Successful":[)").append(done).append("]");
  if (!done.empty() && !failed.empty()) answer += ',';
  if (!failed.empty()) answer.append(R"("Failed":[)").append(failed).append("]");
  return answer += '}';
}

}  // namespace

SandboxSqs::SandboxSqs(std::string region, std::uint64_t seed)
    : region_(std::move(region)), random_(seed) {}

std::string SandboxSqs::url_of(const QueueRules& rules) const {
  return "https://sqs." + region_ + ".amazonaws.com/" + rules.account + "/" + rules.name;
}

std::string SandboxSqs::add_queue(QueueRules rules) {
  const std::lock_guard lock(mutex_);
  const std::string name = rules.name;
  std::string url = url_of(rules);
  SandboxQueue* dead_letters = nullptr;
  if (rules.max_receive_count > 0) dead_letters = queues_.at(rules.dead_letter_queue).get();
  require(!queues_.contains(name), "a queue is made once");
  queues_[name] = std::make_unique<SandboxQueue>(std::move(rules), random_.next(), dead_letters);
  return url;
}

void SandboxSqs::with_queue(const std::string& name,
                            const std::function<void(SandboxQueue&, Now)>& use) {
  {
    const std::lock_guard lock(mutex_);
    use(*queues_.at(name), time());
  }
  changed_.notify_all();
}

Now SandboxSqs::time() const {
  const Now real = now();
  return {real.steady_ms + advanced_ms_, real.wall_ms + wall_offset_ms_};
}

void SandboxSqs::advance(std::int64_t ms) {
  {
    const std::lock_guard lock(mutex_);
    advanced_ms_ += ms;
  }
  changed_.notify_all();
}

void SandboxSqs::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
}

std::string SandboxSqs::serve(const std::string& operation, const json::object& request,
                              const SandboxFault& fault) {
  if (operation == "GetQueueUrl") return json::serialize(queue_url(request));
  if (operation == "ReceiveMessage") return receive(request, fault);
  if (operation == "GetQueueAttributes") return json::serialize(queue_attributes(request));

  const std::lock_guard lock(mutex_);
  SandboxQueue& queue = queue_at(request);
  const auto remove = [&](const json::object& entry) {
    queue.remove(text(entry, "ReceiptHandle"), time());
    return json::object();
  };
  const auto change_visibility = [&](const json::object& entry) {
    const int seconds = number_or(entry, "VisibilityTimeout", queue.rules().visibility_s);
    queue.change_visibility(text(entry, "ReceiptHandle"), seconds, time());
    changed_.notify_all();
    return json::object();
  };
  const auto send_one = [&](const json::object& entry) { return send(entry, queue); };
  if (operation == "DeleteMessage") return json::serialize(remove(request));
  if (operation == "DeleteMessageBatch") return batch(request, fault, remove);
  if (operation == "ChangeMessageVisibility") return json::serialize(change_visibility(request));
  if (operation == "ChangeMessageVisibilityBatch") return batch(request, fault, change_visibility);
  if (operation == "SendMessage") return json::serialize(send_one(request));
  require(operation == "SendMessageBatch", "each operation of the shapes is served");
  return batch(request, fault, send_one);
}

std::string SandboxSqs::receive(const json::object& request, const SandboxFault& fault) {
  std::unique_lock lock(mutex_);
  SandboxQueue& queue = queue_at(request);
  if (fault.empty) return "{}";
  std::vector<Delivery> deliveries = await(queue, request, lock);
  for (std::size_t left = deliveries.size(); fault.shuffle && left > 1; --left) {
    std::swap(deliveries[left - 1], deliveries[random_.below(left)]);
  }
  if (fault.twice) {
    for (const Delivery& delivery : deliveries) queue.deliver_again(delivery.number);
    changed_.notify_all();
  }
  lock.unlock();
  if (deliveries.empty()) return "{}";
  const MessageView view(request);
  std::string answer = R"({"Messages":[)";
  answer.reserve(deliveries.size() * (deliveries.front().message.body.size() * 2 + 600));
  for (const Delivery& delivery : deliveries) {
    if (&delivery != &deliveries.front()) answer += ',';
    view.show(delivery, answer);
  }
  return answer += "]}";
}

std::vector<Delivery> SandboxSqs::await(SandboxQueue& queue, const json::object& request,
                                        std::unique_lock<std::mutex>& lock) {
  const int most = number_or(request, "MaxNumberOfMessages", 1);
  const int wait_s = number_or(request, "WaitTimeSeconds", 0);
  const int visibility_s = number_or(request, "VisibilityTimeout", queue.rules().visibility_s);
  const json::value* attempt = request.if_contains("ReceiveRequestAttemptId");
  const std::string attempt_id = attempt == nullptr ? "" : std::string(attempt->get_string());
  const std::int64_t deadline = time().steady_ms + wait_s * 1000;
  while (true) {
    const Now at = time();
    // A long poll only finds nothing; and a FIFO queue never says so.
    if (wait_s == 0 && !queue.rules().is_fifo() && queue.is_full(at)) {
      throw SandboxRefusal("OverLimit", "Too many messages in flight", 403);
    }
    std::vector<Delivery> deliveries = queue.receive(most, visibility_s, at, attempt_id);
    if (!deliveries.empty() || at.steady_ms >= deadline || stopped_) return deliveries;
    const std::int64_t until = std::min(deadline, queue.next_change_ms().value_or(deadline));
    changed_.wait_for(lock,
                      std::chrono::milliseconds(std::max<std::int64_t>(1, until - at.steady_ms)));
  }
}

json::object SandboxSqs::send(const json::object& entry, SandboxQueue& queue) {
  NewMessage message = read_message(entry);
  if (queue.rules().is_fifo() && (message.group.empty() || message.deduplication.empty())) {
    throw SandboxRefusal("MissingParameter",
                         "a FIFO queue needs MessageGroupId and MessageDeduplicationId");
  }
  if (entry.contains(queue.rules().is_fifo() ? "DelaySeconds" : "MessageDeduplicationId")) {
    throw SandboxRefusal("InvalidParameterValue", "a parameter not valid for this type of queue");
  }
  json::object answer{{"MD5OfMessageBody", md5_hex(message.body)}};
  if (!message.attributes.empty()) {
    answer["MD5OfMessageAttributes"] = md5_of_attributes(message.attributes);
  }
  const Message sent = queue.message(queue.send(std::move(message), time())).message;
  answer["MessageId"] = sent.id;
  if (!sent.sequence.empty()) answer["SequenceNumber"] = sent.sequence;
  changed_.notify_all();
  return answer;
}

json::object SandboxSqs::queue_url(const json::object& request) {
  const std::lock_guard lock(mutex_);
  const auto found = queues_.find(text(request, "QueueName"));
  const json::value* const account = request.if_contains("QueueOwnerAWSAccountId");
  const std::string owner =
      account == nullptr ? QueueRules().account : std::string(account->get_string());
  if (found == queues_.end() || found->second->rules().account != owner) {
    throw SandboxRefusal("QueueDoesNotExist", "The specified queue does not exist");
  }
  return {{"QueueUrl", url_of(found->second->rules())}};
}

json::object SandboxSqs::queue_attributes(const json::object& request) {
  const std::lock_guard lock(mutex_);
  SandboxQueue& queue = queue_at(request);
  const QueueRules& rules = queue.rules();
  const QueueTally tally = queue.tally(time());
  const std::string arn = "arn:aws:sqs:" + region_ + ":" + rules.account + ":";
  json::object known{{"ApproximateNumberOfMessages", std::to_string(tally.visible)},
                     {"ApproximateNumberOfMessagesNotVisible", std::to_string(tally.in_flight)},
                     {"ApproximateNumberOfMessagesDelayed", std::to_string(tally.delayed)},
                     {"VisibilityTimeout", std::to_string(rules.visibility_s)},
                     {"QueueArn", arn + rules.name},
                     {"CreatedTimestamp", "1700000000"},
                     {"LastModifiedTimestamp", "1700000000"},
                     {"MaximumMessageSize", "1048576"},
                     {"MessageRetentionPeriod", std::to_string(rules.retention_s)},
                     {"DelaySeconds", "0"},
                     {"ReceiveMessageWaitTimeSeconds", "0"}};
  if (rules.max_receive_count > 0) {
    known["RedrivePolicy"] =
        json::serialize(json::object{{"deadLetterTargetArn", arn + rules.dead_letter_queue},
                                     {"maxReceiveCount", rules.max_receive_count}});
  }
  if (rules.is_fifo()) known["FifoQueue"] = "true";
  const json::value* asked = request.if_contains("AttributeNames");
  json::object wanted;
  for (const json::value& name : asked == nullptr ? json::array() : asked->get_array()) {
    if (name.get_string() == "All") return {{"Attributes", std::move(known)}};
    if (const json::value* value = known.if_contains(name.get_string()))
      wanted[name.get_string()] = *value;
  }
  if (wanted.empty()) return {};
  return {{"Attributes", std::move(wanted)}};
}

/// By the path of the URL: clients may send it with AWS's host or with the sandbox's.
SandboxQueue& SandboxSqs::queue_at(const json::object& request) {
  const std::string url = text(request, "QueueUrl");
  const auto found = queues_.find(url.substr(url.rfind('/') + 1));
  if (found == queues_.end() ||
      !url.ends_with("/" + found->second->rules().account + "/" + found->first)) {
    throw SandboxRefusal("QueueDoesNotExist", "The specified queue does not exist");
  }
  return *found->second;
}

}  // namespace sluice
