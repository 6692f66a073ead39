// SPDX-License-Identifier: Apache-2.0
// Orders to a queue, each waited for: what the cases of the contract are written in.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "tests/contract/queue_world.h"

namespace sluice {

inline const QueueRules kOrders{.name = "orders", .visibility_s = 30};
inline const QueueRules kOrderedOrders{.name = "orders.fifo", .visibility_s = 30};

inline std::vector<std::string> handles_of(const std::vector<Message>& messages) {
  std::vector<std::string> handles;
  for (const Message& message : messages) handles.push_back(message.receipt);
  return handles;
}

inline std::vector<std::string> bodies_of(const std::vector<Message>& messages) {
  std::vector<std::string> bodies;
  for (const Message& message : messages) bodies.push_back(message.body);
  return bodies;
}

inline std::vector<bool> done(const std::vector<EntryResult>& results) {
  std::vector<bool> done;
  for (const EntryResult& result : results) done.push_back(result.done);
  return done;
}

/// `World` is QueueWorld, or SimulatedWorld for what only we can make happen.
template <typename World>
class QueueOrders : public testing::Test {
 protected:
  World& world() { return *world_; }
  Queue& queue() { return world_->queue(); }

  void send(int count) {
    std::vector<NewMessage> messages;
    for (int i = 0; i < count; ++i) messages.push_back({.body = "body " + std::to_string(i)});
    world().send(std::move(messages));
  }
  /// Bodies "0", "1" and so on, of one group.
  void send_ordered(int count, const std::string& group) {
    std::vector<NewMessage> messages;
    for (int i = 0; i < count; ++i) {
      messages.push_back(
          {.body = std::to_string(i), .group = group, .deduplication = group + std::to_string(i)});
    }
    world().send(std::move(messages));
  }

  /// The answers that are there when at least `least` have come.
  std::vector<QueueAnswer> answers(std::size_t least) {
    constexpr int kTurns = 30;  // of a second; then they are not coming
    std::vector<QueueAnswer> got;
    for (int turn = 0; turn < kTurns && got.size() < least; ++turn) queue().wait(1000, got);
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
    return receive_for(world().lease_s(), most, wait_s);
  }
  std::vector<Message> receive_for(int visibility_s, int most = 10, int wait_s = 0) {
    queue().receive(++ticket_, most, wait_s, visibility_s);
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
  QueueCounts count() {
    queue().count(++ticket_);
    const Counted counted = answer<Counted>();
    EXPECT_EQ(counted.ticket, ticket_);
    return counted.counts;
  }

  std::unique_ptr<World> world_;
  Ticket ticket_ = 0;
};

}  // namespace sluice
