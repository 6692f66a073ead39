// SPDX-License-Identifier: Apache-2.0
#include "job/queue/sqs_wire.h"

#include <gtest/gtest.h>

#include "job/base/lone_surrogates.h"

namespace sluice {
namespace {

constexpr const char* kQueue = "https://sqs.us-east-1.amazonaws.com/000000000000/login-queue";

/// A message as it comes, with its body and the MD5 of that.
std::string message(const std::string& number, const std::string& escaped_body,
                    const std::string& md5) {
  return R"({"MessageId":"m)" + number + R"(","ReceiptHandle":"r)" + number + R"(","MD5OfBody":")" +
         md5 + R"(","Body":")" + escaped_body +
         R"(","Attributes":{"SentTimestamp":"1700000000123","ApproximateReceiveCount":"2"}})";
}

constexpr const char* kMd5OfA = "0cc175b9c0f1b6a831c399e269772661";

TEST(SqsWire, a_receive_asks_for_what_is_used_and_no_more) {
  EXPECT_EQ(receive_request(kQueue, {10, 2, 120, "", {}}),
            R"({"QueueUrl":"https://sqs.us-east-1.amazonaws.com/000000000000/login-queue",)"
            R"("MaxNumberOfMessages":10,"WaitTimeSeconds":2,"VisibilityTimeout":120,)"
            R"("MessageSystemAttributeNames":["ApproximateReceiveCount","SentTimestamp"]})");
  EXPECT_EQ(
      receive_request("http://q/a.fifo", {1, 0, 30, "attempt", {"source"}}),
      R"({"QueueUrl":"http://q/a.fifo","MaxNumberOfMessages":1,"WaitTimeSeconds":0,)"
      R"("VisibilityTimeout":30,"MessageSystemAttributeNames":["ApproximateReceiveCount",)"
      R"("SentTimestamp","MessageGroupId","SequenceNumber"],"MessageAttributeNames":["source"],)"
      R"("ReceiveRequestAttemptId":"attempt"})");
}

TEST(SqsWire, entries_are_named_by_position) {
  const std::vector<std::string> handles = {"h\"1", "h2"};
  EXPECT_EQ(delete_request("http://q/a", handles),
            R"({"QueueUrl":"http://q/a","Entries":[{"Id":"0","ReceiptHandle":"h\"1"},)"
            R"({"Id":"1","ReceiptHandle":"h2"}]})");
  EXPECT_EQ(
      hide_request("http://q/a", std::span(handles).last(1), 0),
      R"({"QueueUrl":"http://q/a","Entries":[{"Id":"0","ReceiptHandle":"h2","VisibilityTimeout":0}]})");
}

TEST(SqsWire, batches_that_aws_would_refuse_are_bugs) {
  EXPECT_THROW(delete_request(kQueue, std::vector<std::string>()), Failure);
  EXPECT_THROW(delete_request(kQueue, std::vector<std::string>(11, "h")), Failure);
  EXPECT_THROW(receive_request(kQueue, {11, 0, 30, "", {}}), Failure);
}

TEST(SqsWire, messages_to_send_carry_what_they_have) {
  const std::vector<OutgoingMessage> messages = {
      {.body = "left out"},
      {.body = "a\"1", .attributes = {{"reason", "not-json"}}},
      {.body = "b", .group = "g", .deduplication = "d"}};
  const std::vector<std::size_t> positions = {1, 2};
  EXPECT_EQ(send_request("http://q/a.fifo", messages, positions),
            R"({"QueueUrl":"http://q/a.fifo","Entries":[{"Id":"0","MessageBody":"a\"1",)"
            R"("MessageAttributes":{"reason":{"DataType":"String","StringValue":"not-json"}}},)"
            R"({"Id":"1","MessageBody":"b","MessageGroupId":"g","MessageDeduplicationId":"d"}]})");
  EXPECT_EQ(send_request("http://q/a", {}, {}), R"({"QueueUrl":"http://q/a","Entries":[]})");
  EXPECT_THROW(send_request("http://q/a", messages, std::vector<std::size_t>(11, 0)), Failure);
}

TEST(SqsWire, questions_about_the_queue_are_asked) {
  EXPECT_EQ(queue_url_request("q", ""), R"({"QueueName":"q"})");
  EXPECT_EQ(queue_url_request("q", "123456789012"),
            R"({"QueueName":"q","QueueOwnerAWSAccountId":"123456789012"})");
  EXPECT_EQ(
      attributes_request("http://q/a", kFactNames),
      R"({"QueueUrl":"http://q/a","AttributeNames":["VisibilityTimeout","MessageRetentionPeriod",)"
      R"("RedrivePolicy","QueueArn"]})");
}

TEST(SqsWire, an_empty_receive_comes_in_three_shapes) {
  for (const char* body : {"{}", R"({"Messages":[]})", R"({"Messages":null})"}) {
    const auto answer = parse_received(body);
    ASSERT_TRUE(answer) << body;
    EXPECT_TRUE(answer->messages.empty() && answer->damaged_handles.empty()) << body;
  }
}

TEST(SqsWire, a_message_is_read_whole) {
  const auto answer = parse_received(
      R"({"Messages":[{"MessageId":"m","ReceiptHandle":"r","MD5OfBody":"0cc175b9c0f1b6a831c399e269772661",)"
      R"("Body":"a","Attributes":{"SentTimestamp":"1700000000123","ApproximateReceiveCount":"3",)"
      R"("MessageGroupId":"g","SequenceNumber":"18849496460467696128"},)"
      R"("MD5OfMessageAttributes":"x","MessageAttributes":{"source":{"DataType":"String","StringValue":"web"},)"
      R"("raw":{"DataType":"Binary.png","BinaryValue":"AAE="}}}]})");
  ASSERT_TRUE(answer && answer->messages.size() == 1);
  const Message& message = answer->messages[0];
  EXPECT_EQ(message.id, "m");
  EXPECT_EQ(message.receipt, "r");
  EXPECT_EQ(message.body, "a");
  EXPECT_EQ(message.sent_ms, 1'700'000'000'123);
  EXPECT_EQ(message.receive_count, 3U);
  EXPECT_EQ(message.group, "g");
  EXPECT_EQ(message.sequence, "18849496460467696128");
  ASSERT_EQ(message.attributes.size(), 2U);
  EXPECT_EQ(message.attributes[0].name, "source");
  EXPECT_EQ(message.attributes[0].value, "web");
  EXPECT_EQ(message.attributes[1].type, "Binary.png");
  EXPECT_EQ(message.attributes[1].value, "AAE=");
}

TEST(SqsWire, bodies_come_out_byte_for_byte) {
  const std::string escaped = R"(\"\\\/\b\f\n\r\t\u0000\u00e9\ud83d\ude00)"
                              "é😀\x7f\u2028";
  const std::string body = std::string("\"\\/\b\f\n\r\t\0", 9) + "é😀é😀\x7f\u2028";
  const auto answer = parse_received("{\"Messages\":[" + message("1", escaped, "") + "]}");
  ASSERT_TRUE(answer && answer->messages.size() == 1);
  EXPECT_EQ(answer->messages[0].body, body);
  EXPECT_FALSE(answer->messages[0].bad_encoding);
}

TEST(SqsWire, a_body_that_does_not_match_its_digest_is_left_out_alone) {
  const auto answer = parse_received("{\"Messages\":[" + message("1", "a", kMd5OfA) + "," +
                                     message("2", "b", kMd5OfA) + "]}");
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->messages.size(), 1U);
  EXPECT_EQ(answer->messages[0].id, "m1");
  EXPECT_EQ(answer->damaged_handles, std::vector<std::string>{"r2"});
}

TEST(SqsWire, lone_surrogates_mark_their_own_message_only) {
  const auto answer = parse_received(
      "{\"Messages\":[" + message("1", "a", kMd5OfA) + "," + message("2", R"(x\ud800y)", kMd5OfA) +
      "," + message("3", R"(\ud83d\ude00)", "") + "," + message("4", R"(\\ud800)", "") + "]}");
  ASSERT_TRUE(answer && answer->messages.size() == 4);
  EXPECT_FALSE(answer->messages[0].bad_encoding);
  EXPECT_TRUE(answer->messages[1].bad_encoding);
  EXPECT_EQ(answer->messages[1].body, "x\ufffdy");
  EXPECT_FALSE(answer->messages[2].bad_encoding);
  EXPECT_EQ(answer->messages[2].body, "😀");
  EXPECT_FALSE(answer->messages[3].bad_encoding);
  EXPECT_EQ(answer->messages[3].body, "\\ud800");
}

TEST(SqsWire, lone_surrogates_are_told_from_pairs) {
  const auto mended = [](std::string_view json) { return without_lone_surrogates(json, "?"); };
  EXPECT_EQ(mended(R"(\ud83d\ude00)"), R"(\ud83d\ude00)");
  EXPECT_EQ(mended(R"(\uD83D\uDE00)"), R"(\uD83D\uDE00)");
  EXPECT_EQ(mended(R"(\ude00\ud83d)"), "??");
  EXPECT_EQ(mended(R"(\ud83d\ud83d\ude00)"), R"(?\ud83d\ude00)");
  EXPECT_EQ(mended(R"(\ud83d\n)"), R"(?\n)");
  EXPECT_EQ(mended(R"(\\ud83d)"), R"(\\ud83d)");
  EXPECT_EQ(mended(R"(\\\ud83d)"), R"(\\?)");
  EXPECT_EQ(mended(R"(\u00e9\ud8)"), R"(\u00e9\ud8)");
  EXPECT_EQ(mended("\\"), "\\");
}

TEST(SqsWire, what_sqs_would_not_answer_is_no_answer) {
  for (const char* body :
       {"", "<html>", "[]", R"({"Messages":{}})", R"({"Messages":[1]})", R"({"Messages":[{}]})",
        R"({"Messages":[{"MessageId":"m","ReceiptHandle":"r","Body":"a"}]})", R"({"Messages":[)"}) {
    EXPECT_FALSE(parse_received(body)) << body;
  }
  EXPECT_FALSE(parse_queue_url("{}"));
  EXPECT_FALSE(parse_batch("<html>", 1));
}

TEST(SqsWire, batch_results_come_in_the_order_asked) {
  const auto results = parse_batch(
      R"({"Failed":[{"Id":"0","SenderFault":true,"Code":"ReceiptHandleIsInvalid","Message":"m"},)"
      R"({"Id":"3","SenderFault":false,"Code":"InternalError"}],"Successful":[{"Id":"2"}]})",
      4);
  ASSERT_TRUE(results && results->size() == 4);
  EXPECT_TRUE(!(*results)[0].done && (*results)[0].sender_fault);
  EXPECT_EQ((*results)[0].code, "ReceiptHandleIsInvalid");
  EXPECT_TRUE(!(*results)[1].done && !(*results)[1].sender_fault) << "not mentioned is not done";
  EXPECT_TRUE((*results)[2].done);
  EXPECT_EQ((*results)[2].code, "");
  EXPECT_TRUE(!(*results)[3].done && !(*results)[3].sender_fault);
  EXPECT_FALSE(parse_batch(R"({"Successful":[{"Id":"4"}]})", 4)) << "never asked";
}

TEST(SqsWire, facts_and_counts_are_read_from_texts) {
  const auto facts = [](const std::string& extra) {
    return facts_of(
        kQueue, *parse_attributes(
                    R"({"Attributes":{"VisibilityTimeout":"30","MessageRetentionPeriod":"345600")" +
                    extra + "}}"));
  };
  EXPECT_EQ(facts("")->visibility_s, 30);
  EXPECT_EQ(facts("")->retention_s, 345'600);
  EXPECT_EQ(facts_of("q", {{"VisibilityTimeout", "30"}})->retention_s, 345'600)
      << "ElasticMQ does not tell it: SQS's default";
  EXPECT_EQ(facts("")->max_receive_count, std::nullopt);
  EXPECT_EQ(facts(R"(,"RedrivePolicy":"{\"maxReceiveCount\":3}")")->max_receive_count, 3);
  EXPECT_EQ(facts(R"(,"RedrivePolicy":"{\"maxReceiveCount\":\"4\"}")")->max_receive_count, 4);
  EXPECT_FALSE(facts(R"(,"RedrivePolicy":"{}")"));
  EXPECT_EQ(facts("")->dead_letter_arn, "");
  EXPECT_EQ(facts(R"(,"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:x\",\"maxReceiveCount\":3}")")
                ->dead_letter_arn,
            "arn:x");
  EXPECT_EQ(facts(R"(,"RedrivePolicy":"{\"maxReceiveCount\":3}")")->dead_letter_arn, "");
  EXPECT_FALSE(facts("")->fifo);
  const auto counts = counts_of(*parse_attributes(
      R"({"Attributes":{"ApproximateNumberOfMessages":"7","ApproximateNumberOfMessagesNotVisible":"2",)"
      R"("ApproximateNumberOfMessagesDelayed":"1"}})"));
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->visible, 7);
  EXPECT_EQ(counts->in_flight, 2);
  EXPECT_EQ(counts->delayed, 1);
  EXPECT_FALSE(counts_of({}));
}

TEST(SqsWire, error_codes_lose_their_wrapping) {
  const auto code = [](const char* body, const char* header = "") {
    return parse_error(body, header).code;
  };
  EXPECT_EQ(code(R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"m"})"),
            "QueueDoesNotExist");
  EXPECT_EQ(code(R"({"__type":"com.amazon.coral.service#AccessDenied:http://x/"})"),
            "AccessDenied");
  EXPECT_EQ(code(R"({"__type":"AWS.SimpleQueueService.NonExistentQueue"})"), "QueueDoesNotExist");
  EXPECT_EQ(code("<html>", "AWS.SimpleQueueService.NonExistentQueue;Sender"), "QueueDoesNotExist");
  EXPECT_EQ(code("{}", "com.amazonaws.sqs#OverLimit"), "OverLimit");
  EXPECT_EQ(code("<html>"), "");
  EXPECT_EQ(code(R"({"__type":5})"), "");
  EXPECT_EQ(parse_error(R"({"message":"a"})", "").message, "a");
  EXPECT_EQ(parse_error(R"({"Message":"b"})", "").message, "b");
  EXPECT_EQ(parse_error("Bad gateway", "").message, "Bad gateway");
}

}  // namespace
}  // namespace sluice
