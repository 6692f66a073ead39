// SPDX-License-Identifier: Apache-2.0
// What every Queue promises: one suite, run on the fake and on SQS's client against the sandbox. So
// the heart may be tested on the fake.
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "job/queue/queue.h"
#include "job/queue/sqs_queue.h"
#include "tests/support/aws_sandbox.h"
#include "tests/support/fake_queue.h"

namespace sluice {
namespace {

constexpr int kVisibilityS = 30;
constexpr std::int64_t kLongWaitMs = 60'000;
const QueueRules kRules{.name = "orders", .visibility_s = kVisibilityS};

/// A queue, and a hand on what is behind it.
class World {
 public:
  virtual ~World() = default;
  virtual Queue& queue() = 0;
  virtual SandboxFaults& faults() = 0;
  virtual void with_state(const std::function<void(SandboxQueue&, Now)>& use) = 0;
  virtual void advance_s(int seconds) = 0;
  virtual std::vector<std::string> problems() const { return {}; }
};

class FakeWorld : public World {
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

SqsSettings settings_for(const AwsSandbox& sandbox, const std::string& queue_url) {
  const std::string host = "127.0.0.1:" + std::to_string(sandbox.port());
  const SandboxCredentials known;
  SqsSettings settings;
  settings.access.endpoint.url = sandbox.endpoint();
  settings.access.endpoint.host = host;
  settings.access.endpoint.region = "us-east-1";
  settings.access.credentials.access_key = known.access_key;
  settings.access.credentials.secret = Secret(known.secret_key);
  settings.queue_url = queue_url;
  return settings;
}

class SqsWorld : public World {
 public:
  explicit SqsWorld(const QueueRules& rules)
      : name_(rules.name), queue_(settings_for(sandbox_, sandbox_.sqs().add_queue(rules))) {}
  Queue& queue() override { return queue_; }
  SandboxFaults& faults() override { return sandbox_.faults(); }
  void with_state(const std::function<void(SandboxQueue&, Now)>& use) override {
    sandbox_.sqs().with_queue(name_, use);
  }
  void advance_s(int seconds) override { sandbox_.sqs().advance(seconds * 1000); }
  std::vector<std::string> problems() const override { return sandbox_.problems(); }

 private:
  AwsSandbox sandbox_;
  std::string name_;
  SqsQueue queue_;
};

struct Kind {
  const char* name;
  std::unique_ptr<World> (*make)(const QueueRules& rules);
};

void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

class QueueContract : public testing::TestWithParam<Kind> {
 protected:
  ~QueueContract() override { EXPECT_EQ(world_->problems(), std::vector<std::string>{}); }

  void use(const QueueRules& rules) { world_ = GetParam().make(rules); }
  Queue& queue() { return world_->queue(); }

  void send(int count) {
    world_->with_state([&](SandboxQueue& state, Now at) {
      for (int i = 0; i < count; ++i) state.send({.body = "body " + std::to_string(i)}, at);
    });
  }
  QueueTally tally() {
    QueueTally tally;
    world_->with_state([&](SandboxQueue& state, Now at) { tally = state.tally(at); });
    return tally;
  }

  /// The answers that are there when at least `least` have come.
  std::vector<QueueAnswer> answers(std::size_t least) {
    std::vector<QueueAnswer> got;
    for (int turn = 0; turn < 15 && got.size() < least; ++turn) queue().wait(1000, got);
    return got;
  }
  template <typename Answer>
  Answer answer() {
    const std::vector<QueueAnswer> got = answers(1);
    if (got.size() != 1 || !std::holds_alternative<Answer>(got[0])) {
      ADD_FAILURE() << got.size() << " answers, or one of another kind";
      return Answer();
    }
    return std::get<Answer>(got[0]);
  }

  std::vector<Message> receive(int most = 10, int wait_s = 0) {
    queue().receive(++ticket_, most, wait_s, kVisibilityS);
    const Received received = answer<Received>();
    EXPECT_EQ(received.ticket, ticket_);
    return received.messages;
  }
  std::vector<EntryResult> remove(const std::vector<std::string>& handles) {
    queue().remove(++ticket_, handles);
    return answer<BatchAnswered>().results;
  }
  std::vector<EntryResult> hide(const std::vector<std::string>& handles, int visibility_s) {
    queue().hide(++ticket_, handles, visibility_s);
    return answer<BatchAnswered>().results;
  }
  static std::vector<std::string> handles_of(const std::vector<Message>& messages) {
    std::vector<std::string> handles;
    for (const Message& message : messages) handles.push_back(message.receipt);
    return handles;
  }
  static std::vector<bool> done(const std::vector<EntryResult>& results) {
    std::vector<bool> done;
    for (const EntryResult& result : results) done.push_back(result.done);
    return done;
  }

  std::unique_ptr<World> world_ = GetParam().make(kRules);
  Ticket ticket_ = 0;
};

TEST_P(QueueContract, receive_gives_at_most_what_was_asked) {
  send(12);
  EXPECT_EQ(receive(3).size(), 3u);
  EXPECT_EQ(receive(10).size(), 9u);
}

TEST_P(QueueContract, a_delivery_carries_what_was_sent) {
  world_->with_state([](SandboxQueue& state, Now at) {
    state.send({.body = "{\"text\": \"zwölf \xf0\x9f\x98\x80\"}",
                .sent_ms = 1'700'000'000'123,
                .attributes = {{"source", "String", "web"}}},
               at);
  });
  const auto got = receive();
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].body, "{\"text\": \"zwölf \xf0\x9f\x98\x80\"}");
  EXPECT_EQ(got[0].sent_ms, 1'700'000'000'123);
  EXPECT_EQ(got[0].receive_count, 1u);
  EXPECT_EQ(got[0].id.size(), 36u);
  EXPECT_FALSE(got[0].bad_encoding);
}

TEST_P(QueueContract, an_empty_queue_answers_with_no_messages) {
  EXPECT_TRUE(receive(10, 0).empty());
  EXPECT_TRUE(receive(10, 1).empty());
}

TEST_P(QueueContract, a_waiting_receive_gets_what_becomes_visible) {
  send(1);
  const auto first = receive(1);
  queue().receive(++ticket_, 10, 20, kVisibilityS);
  std::vector<QueueAnswer> got;
  queue().wait(0, got);
  ASSERT_TRUE(got.empty());
  queue().hide(++ticket_, handles_of(first), 0);
  got = answers(2);
  const bool hidden_first = std::holds_alternative<BatchAnswered>(got[0]);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(std::get<Received>(got[hidden_first ? 1 : 0]).messages.size(), 1u);
}

TEST_P(QueueContract, a_hidden_message_is_not_given_again_before_its_time) {
  send(1);
  const auto first = receive();
  ASSERT_EQ(first.size(), 1u);
  world_->advance_s(kVisibilityS - 5);
  EXPECT_TRUE(receive().empty());
  world_->advance_s(5);
  const auto second = receive();
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].id, first[0].id);
  EXPECT_EQ(second[0].sent_ms, first[0].sent_ms);
  EXPECT_EQ(second[0].receive_count, 2u);
  EXPECT_NE(second[0].receipt, first[0].receipt);
}

TEST_P(QueueContract, hide_keeps_a_message_hidden_from_now) {
  send(1);
  const auto first = receive();
  world_->advance_s(kVisibilityS - 5);
  EXPECT_EQ(done(hide(handles_of(first), 100)), std::vector<bool>{true});
  world_->advance_s(90);
  EXPECT_TRUE(receive().empty());
  world_->advance_s(10);
  EXPECT_EQ(receive().size(), 1u);
}

TEST_P(QueueContract, hide_for_no_time_gives_a_message_back) {
  send(2);
  const auto first = receive();
  EXPECT_EQ(done(hide(handles_of(first), 0)), (std::vector{true, true}));
  EXPECT_EQ(receive().size(), 2u);
}

TEST_P(QueueContract, a_message_no_longer_in_flight_is_not_hidden) {
  send(2);
  const auto got = receive();
  remove({got[1].receipt});
  const auto results = hide({got[0].receipt, got[1].receipt}, 60);
  EXPECT_EQ(done(results), (std::vector{true, false}));
  EXPECT_TRUE(results[1].sender_fault);
}

TEST_P(QueueContract, remove_deletes) {
  send(10);
  const auto got = receive();
  EXPECT_EQ(done(remove(handles_of(got))), std::vector<bool>(10, true));
  EXPECT_EQ(tally().left(), 0u);
  world_->advance_s(1000);
  EXPECT_TRUE(receive().empty());
}

TEST_P(QueueContract, a_stale_handle_is_accepted_and_deletes_nothing) {
  send(1);
  const auto first = receive();
  world_->advance_s(kVisibilityS);
  const auto second = receive();
  EXPECT_EQ(done(remove(handles_of(first))), std::vector<bool>{true});
  EXPECT_EQ(tally().left(), 1u);
  EXPECT_EQ(done(remove(handles_of(second))), std::vector<bool>{true});
  EXPECT_EQ(tally().left(), 0u);
}

TEST_P(QueueContract, a_handle_nobody_made_is_refused_in_its_place) {
  send(2);
  const auto got = receive();
  const auto results = remove({got[0].receipt, "made-up", got[1].receipt});
  EXPECT_EQ(done(results), (std::vector{true, false, true}));
  EXPECT_TRUE(results[1].sender_fault);
  EXPECT_EQ(results[1].code, "ReceiptHandleIsInvalid");
}

TEST_P(QueueContract, failed_entries_are_told_by_position) {
  send(5);
  const auto got = receive();
  world_->faults().add(
      {.on = "DeleteMessageBatch", .most = 1, .fault = {.fail_entries = 2, .sender_fault = false}});
  const auto results = remove(handles_of(got));
  EXPECT_EQ(done(results), (std::vector{false, false, true, true, true}));
  EXPECT_FALSE(results[0].sender_fault);
  EXPECT_EQ(tally().left(), 2u);
}

TEST_P(QueueContract, the_sender_s_fault_is_told) {
  send(1);
  const auto got = receive();
  world_->faults().add(
      {.on = "DeleteMessageBatch", .most = 1, .fault = {.fail_entries = 1, .sender_fault = true}});
  const auto results = remove(handles_of(got));
  ASSERT_EQ(results.size(), 1u);
  EXPECT_TRUE(results[0].sender_fault);
}

TEST_P(QueueContract, count_tells_visible_and_in_flight) {
  send(7);
  receive(3);
  queue().count(++ticket_);
  const Counted counted = answer<Counted>();
  EXPECT_EQ(counted.ticket, ticket_);
  EXPECT_EQ(counted.counts.visible, 4);
  EXPECT_EQ(counted.counts.in_flight, 3);
  EXPECT_EQ(counted.counts.delayed, 0);
}

TEST_P(QueueContract, each_order_is_answered_exactly_once) {
  send(40);
  std::set<Ticket> asked;
  for (int i = 0; i < 8; ++i) {
    asked.insert(++ticket_);
    queue().receive(ticket_, 5, 0, kVisibilityS);
  }
  asked.insert(++ticket_);
  queue().count(ticket_);
  std::multiset<Ticket> answered;
  std::set<std::string> ids;
  for (const QueueAnswer& answer : answers(asked.size())) {
    answered.insert(std::visit([](const auto& a) { return a.ticket; }, answer));
    if (const auto* received = std::get_if<Received>(&answer)) {
      for (const Message& message : received->messages) ids.insert(message.id);
    }
  }
  EXPECT_EQ(answered, std::multiset<Ticket>(asked.begin(), asked.end()));
  EXPECT_EQ(ids.size(), 40u);
}

TEST_P(QueueContract, abandon_drops_what_is_under_way) {
  queue().receive(++ticket_, 10, 20, kVisibilityS);
  std::vector<QueueAnswer> got;
  queue().wait(0, got);
  queue().abandon();
  send(1);
  queue().count(++ticket_);
  EXPECT_EQ(answer<Counted>().ticket, ticket_);
}

TEST_P(QueueContract, wake_ends_a_wait) {
  queue().receive(++ticket_, 10, 20, kVisibilityS);
  queue().wake();
  std::vector<QueueAnswer> got;
  queue().wait(kLongWaitMs, got);
  EXPECT_TRUE(got.empty());
  queue().abandon();
}

TEST_P(QueueContract, a_lost_answer_is_asked_for_again) {
  send(1);
  const auto got = receive();
  world_->faults().add({.on = "DeleteMessageBatch", .most = 1, .fault = {.drop_after = true}});
  EXPECT_EQ(done(remove(handles_of(got))), std::vector<bool>{true});
  EXPECT_EQ(tally().left(), 0u);
}

TEST_P(QueueContract, messages_of_a_lost_receive_come_back_later) {
  send(10);
  world_->faults().add({.on = "ReceiveMessage", .most = 1, .fault = {.drop_after = true}});
  EXPECT_TRUE(receive().empty());
  world_->advance_s(kVisibilityS);
  EXPECT_EQ(receive().size(), 10u);
}

TEST_P(QueueContract, errors_that_pass_are_not_seen) {
  send(1);
  world_->faults().add({.most = 1, .fault = {.status = 500, .code = "InternalFailure"}});
  world_->faults().add({.most = 1, .fault = {.drop_before = true}});
  EXPECT_EQ(receive().size(), 1u);
}

TEST_P(QueueContract, a_denied_call_fails_with_its_fault) {
  world_->faults().add(
      {.on = "DeleteMessageBatch", .fault = {.status = 403, .code = "AccessDenied"}});
  send(1);
  queue().remove(++ticket_, handles_of(receive()));
  const auto got = answers(1);
  ASSERT_EQ(got.size(), 1u);
  const auto* failed = std::get_if<CallFailed>(&got[0]);
  ASSERT_NE(failed, nullptr);
  EXPECT_EQ(failed->ticket, ticket_);
  EXPECT_EQ(failed->failure.fault(), Fault::rights);
  EXPECT_EQ(tally().left(), 1u);
}

TEST_P(QueueContract, too_many_in_flight_is_told_by_a_short_poll_only) {
  QueueRules narrow = kRules;
  narrow.in_flight_limit = 4;
  use(narrow);
  send(5);
  EXPECT_EQ(receive().size(), 4u);
  queue().receive(++ticket_, 10, 0, kVisibilityS);
  EXPECT_TRUE(answer<Received>().in_flight_limit);
  queue().receive(++ticket_, 10, 1, kVisibilityS);
  const Received silent = answer<Received>();
  EXPECT_FALSE(silent.in_flight_limit);
  EXPECT_TRUE(silent.messages.empty());
}

TEST_P(QueueContract, a_fifo_queue_gives_one_group_in_order_and_blocks_it) {
  use({.name = "orders.fifo", .visibility_s = kVisibilityS});
  world_->with_state([](SandboxQueue& state, Now at) {
    for (int i = 0; i < 5; ++i) state.send({.body = std::to_string(i), .group = "a"}, at);
  });
  const auto first = receive(3);
  ASSERT_EQ(first.size(), 3u);
  EXPECT_EQ(first[0].group, "a");
  EXPECT_LT(first[0].sequence, first[1].sequence);
  EXPECT_LT(first[1].sequence, first[2].sequence);
  EXPECT_TRUE(receive().empty());
  remove(handles_of(first));
  EXPECT_EQ(receive().size(), 2u);
}

TEST_P(QueueContract, a_fifo_delete_after_its_time_fails) {
  use({.name = "orders.fifo", .visibility_s = kVisibilityS});
  world_->with_state(
      [](SandboxQueue& state, Now at) { state.send({.body = "x", .group = "a"}, at); });
  const auto got = receive();
  world_->advance_s(kVisibilityS);
  const auto results = remove(handles_of(got));
  ASSERT_EQ(results.size(), 1u);
  EXPECT_TRUE(results[0].sender_fault);
  EXPECT_EQ(tally().left(), 1u);
}

template <typename Made>
std::unique_ptr<World> make(const QueueRules& rules) {
  return std::make_unique<Made>(rules);
}

INSTANTIATE_TEST_SUITE_P(Every, QueueContract,
                         testing::Values(Kind{"fake", make<FakeWorld>},
                                         Kind{"sqs", make<SqsWorld>}),
                         [](const auto& kind) { return std::string(kind.param.name); });

}  // namespace
}  // namespace sluice
