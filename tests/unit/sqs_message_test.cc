// SPDX-License-Identifier: Apache-2.0
// A message that was kept is what it was when it came.
#include "job/queue/sqs_message.h"

#include <gtest/gtest.h>

#include "job/queue/sqs_wire.h"

namespace sluice {
namespace {

/// A message with these members beside its receipt.
std::string message(const std::string& members) {
  return R"({"ReceiptHandle":"r",)" + members + "}";
}

const std::string kIdAndTime = R"("MessageId":"m","Attributes":{"SentTimestamp":"1700000000123",)"
                               R"("ApproximateReceiveCount":"2"})";

/// "reason field", or "a message".
std::string judged(std::string_view json) {
  const auto kept = parse_kept_message(json);
  const auto* const none = std::get_if<NoMessage>(&kept);
  if (none == nullptr) return "a message";
  EXPECT_FALSE(none->rejection.detail.empty());
  return std::string(to_text(none->rejection.reason)) + " " + none->field;
}

void expect_same(const Message& kept, const Message& received) {
  EXPECT_EQ(kept.id, received.id);
  EXPECT_EQ(kept.body, received.body);
  EXPECT_EQ(kept.sent_ms, received.sent_ms);
  EXPECT_EQ(kept.receive_count, received.receive_count);
  EXPECT_EQ(kept.sequence, received.sequence);
  EXPECT_EQ(kept.group, received.group);
  EXPECT_EQ(kept.bad_encoding, received.bad_encoding);
  EXPECT_FALSE(kept.unusable);
  ASSERT_EQ(kept.attributes.size(), received.attributes.size());
  for (std::size_t i = 0; i < kept.attributes.size(); ++i) {
    EXPECT_EQ(kept.attributes[i].name, received.attributes[i].name);
    EXPECT_EQ(kept.attributes[i].type, received.attributes[i].type);
    EXPECT_EQ(kept.attributes[i].value, received.attributes[i].value);
  }
}

TEST(KeptMessage, is_the_same_as_the_one_that_came) {
  for (const std::string& members :
       {R"("Body":"a","MD5OfBody":"0cc175b9c0f1b6a831c399e269772661",)" + kIdAndTime,
        R"("Body":"\"\\\u0000\u00e9\ud83d\ude00é",)" + kIdAndTime,
        R"("Body":"x\ud800y",)" + kIdAndTime,
        R"("Body":"a","MessageAttributes":{"n\udc00":{"DataType":"String","StringValue":"v"}},)" +
            kIdAndTime,
        R"("Body":"a","MessageId":"m","MessageAttributes":{"source":{"DataType":"String",)"
        R"("StringValue":"web"},"raw":{"DataType":"Binary.png","BinaryValue":"AAE="}},)"
        R"("Attributes":{"SentTimestamp":"1700000000123","ApproximateReceiveCount":"3",)"
        R"("MessageGroupId":"g","SequenceNumber":"18849496460467696128"})" +
            std::string()}) {
    const auto received = parse_received("{\"Messages\":[" + message(members) + "]}");
    ASSERT_TRUE(received && received->messages.size() == 1) << members;
    const auto kept = parse_kept_message(message(members));
    ASSERT_TRUE(std::holds_alternative<Message>(kept)) << members;
    expect_same(std::get<Message>(kept), received->messages[0]);
    EXPECT_EQ(std::get<Message>(kept).receipt, "");
  }
}

TEST(KeptMessage, may_be_spelled_as_lambda_does) {
  const auto lambda = parse_kept_message(
      R"({"messageId":"m","receiptHandle":"r","body":"a","md5OfBody":"0cc175b9c0f1b6a831c399e269772661",)"
      R"("attributes":{"ApproximateReceiveCount":"2","SentTimestamp":"1700000000123"},)"
      R"("messageAttributes":{"n":{"dataType":"Number","stringValue":"7","stringListValues":[]}},)"
      R"("eventSource":"aws:sqs"})");
  ASSERT_TRUE(std::holds_alternative<Message>(lambda));
  const auto sqs = parse_kept_message(
      message(R"("Body":"a","MessageAttributes":{"n":{"DataType":"Number","StringValue":"7"}},)" +
              kIdAndTime));
  expect_same(std::get<Message>(lambda), std::get<Message>(sqs));
  EXPECT_EQ(judged(R"({"messageId":"m","body":"a"})"), "missing-field attributes.SentTimestamp");
  EXPECT_EQ(judged(R"({"messageId":"m","body":"b","md5OfBody":"0cc175b9c0f1b6a831c399e269772661",)"
                   R"("attributes":{"SentTimestamp":"1"}})"),
            "bad-value md5OfBody");
}

TEST(KeptMessage, may_have_numbers_as_numbers_and_no_receive_count) {
  const auto kept = parse_kept_message(
      R"({"MessageId":"m","Body":"a","Attributes":{"SentTimestamp":1700000000123}})");
  ASSERT_TRUE(std::holds_alternative<Message>(kept));
  EXPECT_EQ(std::get<Message>(kept).sent_ms, 1'700'000'000'123);
  EXPECT_EQ(std::get<Message>(kept).receive_count, 1U);
}

TEST(KeptMessage, that_is_none_is_told_with_what_says_so) {
  EXPECT_EQ(judged("no json"), "not-json ");
  EXPECT_EQ(judged(""), "not-json ");
  EXPECT_EQ(judged("[]"), "not-an-object ");
  EXPECT_EQ(judged("{}"), "missing-field Body");
  EXPECT_EQ(judged(R"({"MessageId":"m"})"), "missing-field Body");
  EXPECT_EQ(judged(R"({"Body":"a"})"), "missing-field MessageId");
  EXPECT_EQ(judged(R"({"MessageId":1,"Body":"a"})"), "wrong-type MessageId");
  EXPECT_EQ(judged(R"({"MessageId":"m","Body":{"a":1}})"), "wrong-type Body");
  EXPECT_EQ(judged(R"({"MessageId":"m","Body":"a"})"), "missing-field Attributes.SentTimestamp");
  EXPECT_EQ(judged(R"({"MessageId":"m","Body":"a","Attributes":[]})"), "wrong-type Attributes");
  const auto sent = [](const std::string& time) {
    return judged(R"({"MessageId":"m","Body":"a","Attributes":{"SentTimestamp":)" + time + "}}");
  };
  EXPECT_EQ(sent("\"soon\""), "bad-value Attributes.SentTimestamp");
  EXPECT_EQ(sent("1.5"), "wrong-type Attributes.SentTimestamp");
  EXPECT_EQ(sent("-1"), "out-of-range Attributes.SentTimestamp");
  EXPECT_EQ(sent("\"7258118400000\""), "out-of-range Attributes.SentTimestamp");
  EXPECT_EQ(sent("7258118399999"), "a message");
  EXPECT_EQ(judged(R"({"MessageId":"m","Body":"b","MD5OfBody":"0cc175b9c0f1b6a831c399e269772661",)"
                   R"("Attributes":{"SentTimestamp":"1"}})"),
            "bad-value MD5OfBody");
  EXPECT_EQ(judged(message(R"("Body":"a","MessageAttributes":{"secret name":1},)" + kIdAndTime)),
            "not-an-object MessageAttributes")
      << "a sender's own name is not repeated";
}

}  // namespace
}  // namespace sluice
