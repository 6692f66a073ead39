// SPDX-License-Identifier: Apache-2.0
// How many calls the client has under way while SQS throttles, and who waits for whom.
#include <condition_variable>
#include <mutex>
#include <set>

#include "job/queue/sqs_client.h"
#include "tests/contract/raw_server.h"
#include "tests/contract/sqs_scene.h"

namespace sluice {
namespace {

/// A server before which receives stand until a test lets them go; deletes pass.
class Held {
 public:
  void serve(RawServer::Connection& connection) {
    for (std::string request = connection.request(); !request.empty();
         request = connection.request()) {
      const bool removes = request.find("AmazonSQS.DeleteMessageBatch") != std::string::npos;
      if (!connection.send(removes ? http_answer(200, "{}") : answer())) return;
    }
  }
  std::size_t standing() {
    const std::lock_guard lock(mutex_);
    return standing_;
  }
  /// Lets all that stand here go, with this answer; and, `for_good`, all that come later.
  void let_go(const std::string& with, bool for_good = false) {
    const std::lock_guard lock(mutex_);
    answer_ = with;
    open_ = for_good;
    standing_ = 0;
    ++opened_;
    changed_.notify_all();
  }

 private:
  std::string answer() {
    std::unique_lock lock(mutex_);
    ++standing_;
    changed_.wait(lock, [&, since = opened_] { return open_ || opened_ != since; });
    return answer_;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t standing_ = 0;
  std::uint64_t opened_ = 0;
  bool open_ = false;
  std::string answer_;
};

const std::string kSuccess = http_answer(200, "{}");

class SqsPace : public ::testing::Test {
 protected:
  ~SqsPace() override { held_.let_go(kSuccess, true); }

  void start(Operation operation, int calls) {
    for (int i = 0; i < calls; ++i) client_.start({operation, "{}", ++last_, 0, 20'000});
  }
  /// So many stand before the server, and no more come.
  void expect_standing(std::size_t count) {
    for (int i = 0; i < 1000 && held_.standing() < count; ++i) client_.wait(10, outcomes_);
    for (int i = 0; i < 3; ++i) client_.wait(10, outcomes_);
    EXPECT_EQ(held_.standing(), count);
  }
  void expect_outcomes(std::size_t count) {
    for (int i = 0; i < 1000 && outcomes_.size() < count; ++i) client_.wait(10, outcomes_);
    ASSERT_EQ(outcomes_.size(), count);
    for (const SqsOutcome& outcome : outcomes_) {
      EXPECT_TRUE(answered_.insert(*outcome.call.ticket).second) << "each is answered once";
    }
    outcomes_.clear();
  }

  Held held_;
  RawServer server_{[this](RawServer::Connection& connection) { held_.serve(connection); }};
  // One attempt: what is throttled comes back and does not come again at a time of its own.
  SqsClient client_{access_to(server_.endpoint(), {1, std::nullopt}), "q"};
  std::vector<SqsOutcome> outcomes_;
  std::set<Ticket> answered_;
  Ticket last_ = 0;
};

TEST_F(SqsPace, concurrency_halves_under_throttling_and_recovers) {
  start(Operation::receive_message, 32);
  expect_standing(32);
  held_.let_go(error_answer(403, "ThrottlingException"));
  expect_outcomes(32);

  start(Operation::receive_message, 64);
  expect_standing(16);
  held_.let_go(kSuccess);
  expect_standing(17);
  held_.let_go(kSuccess);
  expect_standing(18);
  held_.let_go(kSuccess, true);
  expect_outcomes(64);
  EXPECT_TRUE(client_.is_idle());
}

TEST_F(SqsPace, those_that_wait_go_in_the_order_they_were_asked) {
  start(Operation::receive_message, 2);
  expect_standing(2);
  held_.let_go(error_answer(403, "RequestThrottled"));
  expect_outcomes(2);
  start(Operation::receive_message, 6);
  for (const std::set<Ticket>& those : {std::set<Ticket>{3}, {4, 5}, {6, 7, 8}}) {
    answered_.clear();
    expect_standing(those.size());
    held_.let_go(kSuccess);
    expect_outcomes(those.size());
    EXPECT_EQ(answered_, those);
  }
}

TEST_F(SqsPace, deletes_do_not_wait_for_receives) {
  start(Operation::receive_message, 4);
  expect_standing(4);
  held_.let_go(error_answer(403, "RequestThrottled"));
  expect_outcomes(4);
  start(Operation::receive_message, 10);
  expect_standing(2);
  start(Operation::delete_message_batch, 40);
  expect_outcomes(40);
  EXPECT_EQ(held_.standing(), 2U);
}

TEST_F(SqsPace, what_waits_is_abandoned_with_the_rest) {
  start(Operation::receive_message, 2);
  expect_standing(2);
  held_.let_go(error_answer(403, "RequestThrottled"));
  expect_outcomes(2);
  start(Operation::receive_message, 10);
  expect_standing(1);
  client_.abandon();
  EXPECT_TRUE(client_.is_idle());
  held_.let_go(kSuccess, true);
  start(Operation::receive_message, 1);
  expect_outcomes(1);
  EXPECT_EQ(answered_, (std::set<Ticket>{1, 2, 13}));
}

}  // namespace
}  // namespace sluice
