// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/queue_world.h"

#include <chrono>
#include <thread>
#include <utility>

#include <boost/json.hpp>

#include "job/queue/sqs_queue.h"
#include "tests/support/aws_sandbox.h"
#include "tests/support/fake_queue.h"
#include "tests/support/foreign_server.h"

namespace sluice {
namespace {

namespace json = boost::json;

class FakeWorld : public SimulatedWorld {
 public:
  explicit FakeWorld(const QueueRules& rules) : queue_(rules, {1'000, 1'800'000'000'000}) {}
  Queue& queue() override { return queue_; }
  SandboxFaults& faults() override { return queue_.faults(); }
  void with_state(const std::function<void(SandboxQueue&, Now)>& use) override {
    use(queue_.state(), queue_.time());
  }
  void advance_s(int seconds) override { queue_.advance(seconds * 1000); }

 private:
  FakeQueue queue_;
};

SqsSettings settings_for(const SqsAddress& address, const std::string& queue_url) {
  SqsSettings settings;
  settings.access.endpoint.url = address.endpoint;
  settings.access.endpoint.host = address.endpoint.substr(address.endpoint.find("//") + 2);
  settings.access.endpoint.region = "us-east-1";
  settings.access.credentials = std::make_shared<LiveCredentials>([address](auto...) {
    return Credentials{address.access_key, Secret(address.secret_key), Secret(), "the test"};
  });
  settings.queue_url = queue_url;
  settings.attribute_names = {"All"};
  return settings;
}

class SandboxWorld : public SimulatedWorld {
 public:
  explicit SandboxWorld(const QueueRules& rules)
      : name_(rules.name), queue_(settings_for(address(), sandbox_.sqs().add_queue(rules))) {}
  Queue& queue() override { return queue_; }
  SandboxFaults& faults() override { return sandbox_.faults(); }
  void with_state(const std::function<void(SandboxQueue&, Now)>& use) override {
    sandbox_.sqs().with_queue(name_, use);
  }
  void advance_s(int seconds) override { sandbox_.sqs().advance(seconds * 1000); }
  std::vector<std::string> problems() const override { return sandbox_.problems(); }

 private:
  SqsAddress address() const {
    const SandboxCredentials known;
    return {sandbox_.endpoint(), known.access_key, known.secret_key};
  }

  AwsSandbox sandbox_;
  std::string name_;
  SqsQueue queue_;
};

json::object attributes_for(const QueueRules& rules) {
  json::object attributes{{"VisibilityTimeout", std::to_string(rules.visibility_s)}};
  if (rules.is_fifo()) attributes["FifoQueue"] = "true";
  return attributes;
}

json::object request_for(const NewMessage& message) {
  json::object request{{"MessageBody", message.body}};
  if (message.delay_s > 0) request["DelaySeconds"] = message.delay_s;
  if (!message.group.empty()) request["MessageGroupId"] = message.group;
  if (!message.deduplication.empty()) request["MessageDeduplicationId"] = message.deduplication;
  json::object attributes;
  for (const auto& [name, type, value] : message.attributes) {
    const char* const held = type.starts_with("Binary") ? "BinaryValue" : "StringValue";
    attributes[name] = json::object{{"DataType", type}, {held, value}};
  }
  if (!attributes.empty()) request["MessageAttributes"] = std::move(attributes);
  return request;
}

class ForeignWorld : public QueueWorld {
 public:
  ForeignWorld(const SqsAddress& address, const QueueRules& rules)
      : behind_(address, rules.name, attributes_for(rules)),
        queue_(settings_for(address, behind_.url())) {}
  Queue& queue() override { return queue_; }
  void send(std::vector<NewMessage> messages) override {
    for (const NewMessage& message : messages) behind_.call("SendMessage", request_for(message));
  }
  std::int64_t left() override { return behind_.left(); }
  int lease_s() const override { return 3; }
  void let_leases_end() override {
    constexpr std::chrono::milliseconds kRounding(500);  // moto's clock counts whole seconds
    std::this_thread::sleep_for(std::chrono::seconds(lease_s()) + kRounding);
  }

 private:
  ForeignQueue behind_;
  SqsQueue queue_;
};

}  // namespace

void SimulatedWorld::send(std::vector<NewMessage> messages) {
  with_state([&](SandboxQueue& state, Now at) {
    for (NewMessage& message : messages) state.send(std::move(message), at);
  });
}

std::int64_t SimulatedWorld::left() {
  std::int64_t left = 0;
  with_state([&](SandboxQueue& state, Now at) {
    left = static_cast<std::int64_t>(state.tally(at).left());
  });
  return left;
}

std::unique_ptr<SimulatedWorld> make_fake(const QueueRules& rules) {
  return std::make_unique<FakeWorld>(rules);
}

std::unique_ptr<SimulatedWorld> make_sandbox(const QueueRules& rules) {
  return std::make_unique<SandboxWorld>(rules);
}

std::unique_ptr<QueueWorld> make_foreign(const std::string& server, const QueueRules& rules) {
  const auto address = find_foreign_server(server);
  if (!address) return nullptr;
  return std::make_unique<ForeignWorld>(*address, rules);
}

}  // namespace sluice
