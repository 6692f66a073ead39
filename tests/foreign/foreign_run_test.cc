// SPDX-License-Identifier: Apache-2.0
// The program drains queues on servers that others wrote: what it needs of SQS is not only what our
// sandbox plays. moto checks every signature besides.
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/support/foreign_server.h"
#include "tests/support/login_world.h"

namespace sluice {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kSeed = 11;
constexpr int kSenders = 4;

struct Kind {
  const char* server;
  std::uint64_t messages;  // of moto few: each costs it the more the longer the queue
};

void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.server; }

/// How many have which flaw; those without any are the good ones.
std::map<std::string, std::uint64_t> flaws_of(std::uint64_t messages) {
  std::map<std::string, std::uint64_t> flaws;
  for (std::uint64_t number = 0; number < messages; ++number) {
    ++flaws[std::string(login_message(kSeed, number).flaw)];
  }
  return flaws;
}

/// Messages `first` and every `kSenders`th batch from there on.
void send_batches(const ForeignQueue& queue, std::uint64_t first, std::uint64_t messages) {
  SqsCaller caller(queue.address());
  for (std::uint64_t from = first; from < messages; from += 10 * kSenders) {
    json::array entries;
    for (std::uint64_t number = from; number < std::min(from + 10, messages); ++number) {
      entries.push_back({{"Id", std::to_string(number - from)},
                         {"MessageBody", login_message(kSeed, number).body}});
    }
    const std::size_t sent = entries.size();
    const json::object answer = caller.call(
        "SendMessageBatch", {{"QueueUrl", queue.url()}, {"Entries", std::move(entries)}});
    ASSERT_EQ(answer.at("Successful").as_array().size(), sent);
  }
}

void fill(const ForeignQueue& queue, std::uint64_t messages) {
  std::vector<std::jthread> senders;
  for (int sender = 0; sender < kSenders; ++sender) {
    senders.emplace_back([&queue, sender, messages] {
      send_batches(queue, static_cast<std::uint64_t>(sender) * 10, messages);
    });
  }
}

class ForeignRun : public testing::TestWithParam<Kind> {};

TEST_P(ForeignRun, each_message_becomes_one_row_or_one_rejection_and_the_queue_is_empty) {
  const auto [server, messages] = GetParam();
  const auto address = find_foreign_server(server);
  // Its registry cannot be reached; with CI=true that has thrown.
  if (!address) GTEST_SKIP() << server << " is not there; the log of its start says why";
  ForeignQueue queue(*address, "logins", {{"VisibilityTimeout", "120"}});
  fill(queue, messages);
  ASSERT_EQ(queue.left(), static_cast<std::int64_t>(messages));

  LoginWorld world;
  world.variables()["AWS_ENDPOINT_URL_SQS"] = address->endpoint;
  world.variables()["AWS_ACCESS_KEY_ID"] = address->access_key;
  world.variables()["AWS_SECRET_ACCESS_KEY"] = address->secret_key;
  const Outcome check = world.call({"check", "--queue-url", queue.url()});
  EXPECT_EQ(check.status, 0) << check.out << check.err;
  const Outcome outcome = world.run({"--queue-url", queue.url()});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  // moto looks whether a message is visible and hides it without a lock: two receivers may get it.
  EXPECT_EQ(outcome.count("received") - outcome.count("duplicate"),
            static_cast<std::int64_t>(messages));
  EXPECT_EQ(outcome.count("delete_failed"), 0);
  EXPECT_EQ(queue.left(), 0);

  std::map<std::string, std::uint64_t> rejected;
  for (const Row& row : world.database().rows(
           "SELECT reason, count(*) FROM sluice.rejected_message GROUP BY reason")) {
    rejected[row[0]] = std::stoull(row[1]);
  }
  std::map<std::string, std::uint64_t> flaws = flaws_of(messages);
  const std::string good = std::to_string(flaws.extract("").mapped());
  EXPECT_EQ(rejected, flaws);
  EXPECT_EQ(world.database().rows("SELECT count(*), count(DISTINCT user_id) FROM "
                                  "public.user_logins"),
            (std::vector<Row>{{good, good}}));
}

INSTANTIATE_TEST_SUITE_P(Foreign, ForeignRun,
                         testing::Values(Kind{"elasticmq", 20'000}, Kind{"moto", 300}),
                         [](const auto& kind) { return std::string(kind.param.server); });

}  // namespace
}  // namespace sluice
