// SPDX-License-Identifier: Apache-2.0
#include "job/queue/outgoing.h"

#include <numeric>

#include <gtest/gtest.h>

#include "job/queue/sqs_sender.h"

namespace sluice {
namespace {

std::vector<std::size_t> sizes(const std::vector<OutgoingMessage>& messages) {
  std::vector<std::size_t> positions(messages.size());
  std::iota(positions.begin(), positions.end(), std::size_t{0});
  std::vector<std::size_t> sizes;
  std::size_t next = 0;
  for (const auto& batch : batches_of(messages, positions)) {
    sizes.push_back(batch.size());
    for (const std::size_t position : batch) EXPECT_EQ(position, next++) << "in order, each once";
  }
  EXPECT_EQ(next, messages.size());
  return sizes;
}

TEST(Outgoing, a_call_carries_ten_messages) {
  EXPECT_EQ(sizes({}), std::vector<std::size_t>());
  EXPECT_EQ(sizes(std::vector<OutgoingMessage>(10, {.body = "b"})), std::vector<std::size_t>{10});
  EXPECT_EQ(sizes(std::vector<OutgoingMessage>(21, {.body = "b"})),
            (std::vector<std::size_t>{10, 10, 1}));
}

TEST(Outgoing, a_call_carries_one_mebibyte_with_names_types_and_values_of_attributes) {
  const std::size_t half = kMostBytesSent / 2;
  EXPECT_EQ(sizes(std::vector<OutgoingMessage>(3, {.body = std::string(half, 'b')})),
            (std::vector<std::size_t>{2, 1}));
  const OutgoingMessage with{.body = std::string(half - 6 - 3 - 4, 'b'),
                             .attributes = {{"abc", "wxyz"}}};
  EXPECT_EQ(bytes_of(with), half);
  EXPECT_EQ(sizes({with, with}), std::vector<std::size_t>{2});
  OutgoingMessage longer = with;
  longer.attributes[0].second += "!";
  EXPECT_EQ(sizes({with, longer}), (std::vector<std::size_t>{1, 1}));
  EXPECT_EQ(sizes({with, {.body = std::string(2 * kMostBytesSent, 'b')}, with}),
            (std::vector<std::size_t>{1, 1, 1}));
}

TEST(Outgoing, the_arn_of_a_queue_is_read) {
  const auto arn = parse_queue_arn("arn:aws-cn:sqs:cn-north-1:123456789012:dead.fifo");
  ASSERT_TRUE(arn);
  EXPECT_EQ(arn->region, "cn-north-1");
  EXPECT_EQ(arn->account, "123456789012");
  EXPECT_EQ(arn->name, "dead.fifo");
  for (const char* wrong :
       {"", "dead", "arn:aws:sns:us-east-1:123456789012:topic", "arn:aws:sqs:us-east-1:1",
        "arn:aws:sqs::1:n", "arn:aws:sqs:us-east-1:1:n:more", "arn:aws:sqs:us-east-1:1:"}) {
    EXPECT_FALSE(parse_queue_arn(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace sluice
