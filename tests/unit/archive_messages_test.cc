// SPDX-License-Identifier: Apache-2.0
#include "job/archive/archive_messages.h"

#include <set>

#include <gtest/gtest.h>

#include "job/archive/records.h"
#include "job/base/failure.h"

namespace sluice {
namespace {

Secret id_key() {
  std::string key;
  for (char byte = 0; byte < 32; ++byte) key += byte;
  return Secret(key);
}

/// Messages of one file, as a format reads them.
class Reader {
 public:
  explicit Reader(const ArchiveFormat& format, const std::string& name = "user_logins",
                  Encoding encoding = Encoding::none)
      : messages_(format, pipeline_of(name, encoding), id_key(), occurrences_) {}

  Message make(std::string_view record) { return messages_.make(record); }
  ArchiveMessages& messages() { return messages_; }

 private:
  static Pipeline pipeline_of(const std::string& name, Encoding encoding) {
    Pipeline pipeline;
    pipeline.name = name;
    pipeline.encoding = encoding;
    return pipeline;
  }

  Occurrences occurrences_{"/nowhere"};
  ArchiveMessages messages_;
};

std::string fault_of(const Message& message) {
  if (!message.unusable) return "";
  return std::string(to_text(message.unusable->reason)) + " " + message.unusable_field;
}

constexpr const char* kBody = R"({"a":1})";

// Computed by another program (Python's hmac). They may never change: what was loaded would be
// loaded again.
TEST(ArchiveIds, are_these_for_ever) {
  Reader reader({});
  EXPECT_EQ(reader.make(kBody).id, "956cf676-bb4f-8a85-9116-dfd9ec12e7f4");
  EXPECT_EQ(reader.make("no json \xff").id, "724cc401-aa6d-8bdb-96c3-beee84f90ac5");
  EXPECT_EQ(reader.make(kBody).id, "b3091df7-0c55-8107-9ea6-bd116871eaa4");
  EXPECT_EQ(reader.make(kBody).id, "1dfda5d5-f134-8799-b06a-b2e435e66fd6");
  for (int i = 3; i < 256; ++i) reader.make(kBody);
  EXPECT_EQ(reader.make(kBody).id, "205b6ab1-437b-8d74-94c5-a3caf4babcf8");
  EXPECT_EQ(Reader({}, "p").make(kBody).id, "449f0ff9-dd7c-8831-9933-e365959ec3e1");
}

TEST(ArchiveIds, are_the_same_in_every_file_and_differ_within_one) {
  Reader reader({});
  const std::string first = reader.make(kBody).id;
  const std::string second = reader.make(kBody).id;
  EXPECT_NE(second, first);
  reader.messages().begin_file();
  EXPECT_EQ(reader.make(kBody).id, first);
  EXPECT_EQ(reader.make(kBody).id, second);
}

TEST(ArchiveIds, count_what_was_passed_over) {
  const std::string envelope =
      R"({"MessageId":"m","Body":"a","Attributes":{"SentTimestamp":"1700000000123"}})";
  for (const auto& [sqs_envelope, record] :
       {std::pair(false, std::string(kBody)), {false, envelope}, {true, std::string(kBody)}}) {
    Reader all({.sqs_envelope = sqs_envelope});
    Reader rest({.sqs_envelope = sqs_envelope});
    all.make(record);
    rest.messages().pass(record);
    EXPECT_EQ(rest.make(record).id, all.make(record).id);
  }
}

TEST(ArchiveIds, depend_on_no_option_about_time) {
  const std::string id = Reader({}).make(kBody).id;
  EXPECT_EQ(Reader({.sent_at_ms = 5}).make(kBody).id, id);
  EXPECT_EQ(Reader({.sent_at_from = "t"}).make(kBody).id, id);
}

TEST(ArchiveBodies, are_messages_of_what_is_written) {
  const Message message = Reader({.sent_at_ms = 1'700'000'000'123}).make(kBody);
  EXPECT_EQ(message.body, kBody);
  EXPECT_EQ(message.sent_ms, 1'700'000'000'123);
  EXPECT_EQ(message.receive_count, 1U);
  EXPECT_EQ(message.receipt, "");
  EXPECT_FALSE(message.unusable);
  EXPECT_EQ(Reader({}).make(kBody).sent_ms, 0);
}

/// The time that `t` with this value tells, or "reason field".
std::string sent_at(const std::string& value, const ArchiveFormat& format = {.sent_at_from = "t"}) {
  const Message message = Reader(format).make("{\"t\":" + value + "}");
  if (!message.unusable) return std::to_string(message.sent_ms);
  EXPECT_EQ(message.sent_ms, 0);
  return fault_of(message);
}

TEST(SentAt, is_a_time_or_a_date_of_iso_8601) {
  EXPECT_EQ(sent_at(R"("2026-11-20T10:07:00.123Z")"), "1795169220123");
  EXPECT_EQ(sent_at(R"("2026-11-20T10:07:00.123999+01:00")"), "1795165620123");
  EXPECT_EQ(sent_at(R"("2026-11-20 10:07:00")"), "1795169220000") << "UTC";
  EXPECT_EQ(sent_at(R"("2026-11-20")"), "1795132800000");
  for (const char* none : {"\"\"", "\"20.11.2026\"", "\"2026-11-20T10:07\"", "\"2026-02-30\"",
                           "\" 2026-11-20\"", "\"1.7e9\"", "\"-5\"", "\"now\""}) {
    EXPECT_EQ(sent_at(none), "bad-value t") << none;
  }
}

TEST(SentAt, is_an_integer_of_seconds_or_of_milliseconds) {
  EXPECT_EQ(sent_at("1700000000"), "1700000000000");
  EXPECT_EQ(sent_at("1700000000123"), "1700000000123");
  EXPECT_EQ(sent_at("\"1700000000\""), "1700000000000");
  EXPECT_EQ(sent_at("\"1700000000123\""), "1700000000123");
  EXPECT_EQ(sent_at("100000000000"), "100000000000") << "milliseconds, 1973";
  EXPECT_EQ(sent_at("7258118399"), "7258118399000");
  EXPECT_EQ(sent_at("1"), "1000");
  for (const char* none : {"1700000000.5", "1.7e9", "true", "[1]", "{}"}) {
    EXPECT_EQ(sent_at(none), "wrong-type t") << none;
  }
}

TEST(SentAt, lies_on_a_day_that_the_ledger_has) {
  for (const char* none :
       {"0", "-1", "-1700000000000", "7258118400", "7258118400000", "99999999999",
        "1700000000123456", "99999999999999999999", "\"99999999999999999999\"", "\"0\"",
        "\"1969-12-31\"", "\"1970-01-01\"", "\"2200-01-01\""}) {
    EXPECT_EQ(sent_at(none), "out-of-range t") << none;
  }
  EXPECT_EQ(sent_at("\"2199-12-31T23:59:59.999Z\""), "7258118399999");
  EXPECT_EQ(sent_at("\"1970-01-01T00:00:00.001Z\""), "1");
}

TEST(SentAt, that_is_not_there_is_the_one_given_or_a_rejection) {
  const ArchiveFormat both{.sent_at_from = "t", .sent_at_ms = 42};
  EXPECT_EQ(sent_at("null"), "missing-field t");
  EXPECT_EQ(fault_of(Reader({.sent_at_from = "t"}).make(kBody)), "missing-field t");
  EXPECT_EQ(sent_at("null", both), "42");
  EXPECT_EQ(Reader(both).make(kBody).sent_ms, 42);
  EXPECT_EQ(sent_at("\"soon\"", both), "bad-value t") << "never a guess";
}

TEST(SentAt, stands_where_a_pointer_leads) {
  Reader reader({.sent_at_from = "/event/times/1"});
  EXPECT_EQ(reader.make(R"({"event":{"times":[1,2]}})").sent_ms, 2000);
  EXPECT_EQ(fault_of(reader.make(R"({"event":{"times":[1]}})")), "missing-field /event/times/1");
  EXPECT_EQ(Reader({.sent_at_from = "@timestamp"}).make(R"({"@timestamp":3})").sent_ms, 3000);
  EXPECT_THROW(Reader({.sent_at_from = "/a~"}), Failure);
}

TEST(SentAt, of_a_body_that_is_none_is_left_to_who_says_so) {
  for (const char* none :
       {"no json", "[]", R"({"t":1,"t":1})", "{\"t\":\"\xff\"}", R"({"t":"\ud800"})"}) {
    const Message message = Reader({.sent_at_from = "t"}).make(none);
    EXPECT_EQ(fault_of(message), "") << none;
    EXPECT_EQ(message.sent_ms, 0);
    EXPECT_EQ(message.body, none);
  }
  EXPECT_EQ(Reader({.sent_at_from = "t", .sent_at_ms = 42}).make("no json").sent_ms, 42);
}

TEST(SentAt, is_read_from_what_is_wrapped) {
  const char* const wrapped = "eyJ0IjoxNzAwMDAwMDAwfQ==";  // {"t":1700000000}
  Reader reader({.sent_at_from = "t"}, "user_logins", Encoding::base64);
  const Message message = reader.make(wrapped);
  EXPECT_EQ(message.sent_ms, 1'700'000'000'000);
  EXPECT_EQ(message.body, wrapped);
}

TEST(ArchiveBodies, that_are_too_large_are_rejected_and_not_kept_whole) {
  const std::string most(Body::kMostBytes, ' ');
  EXPECT_FALSE(Reader({}).make(most).unusable);
  const Message message = Reader({.sent_at_from = "t"}).make(most + "more and more");
  EXPECT_EQ(fault_of(message), "too-large ");
  EXPECT_EQ(message.body.size(), Body::kMostBytes + 1);
  EXPECT_NE(Reader({}).make(most + "more").id, Reader({}).make(most + "else").id);
}

constexpr ArchiveFormat kSqs{.sqs_envelope = true};

TEST(ArchiveEnvelopes, are_the_messages_that_they_were) {
  const Message message =
      Reader({.sqs_envelope = true, .sent_at_from = "x", .sent_at_ms = 5})
          .make(
              R"({"MessageId":"m","ReceiptHandle":"r","Body":"a","Attributes":{"SentTimestamp":"1700000000123"}})");
  EXPECT_EQ(message.id, "m");
  EXPECT_EQ(message.receipt, "");
  EXPECT_EQ(message.body, "a");
  EXPECT_EQ(message.sent_ms, 1'700'000'000'123);
  EXPECT_FALSE(message.unusable);
}

TEST(ArchiveEnvelopes, that_are_none_are_rejected_with_an_id_of_their_own) {
  Reader reader(kSqs);
  const std::string record = R"({"MessageId":"m","Attributes":{"SentTimestamp":"1"}})";
  const Message message = reader.make(record);
  EXPECT_EQ(fault_of(message), "missing-field Body");
  EXPECT_EQ(message.body, record) << "so that it is sealed";
  EXPECT_EQ(message.sent_ms, 0);
  EXPECT_EQ(message.id, Reader({}).make(record).id) << "as a body's";
  EXPECT_NE(reader.make(record).id, message.id);
  EXPECT_EQ(fault_of(reader.make("no json")), "not-json ");
  EXPECT_EQ(fault_of(reader.make("{\"MessageId\":\"\xff\"}")), "bad-encoding ");
  EXPECT_EQ(fault_of(reader.make(std::string(kMostRecordBytes + 1, ' '))), "too-large ");
}

TEST(ArchiveEnvelopes, are_counted_only_where_they_are_none) {
  const std::string good =
      R"({"MessageId":"m","Body":"a","Attributes":{"SentTimestamp":"1700000000123"}})";
  Reader reader(kSqs);
  EXPECT_EQ(reader.make(good).id, "m");
  EXPECT_EQ(reader.make(good).id, "m") << "two deliveries of one message";
}

}  // namespace
}  // namespace sluice
