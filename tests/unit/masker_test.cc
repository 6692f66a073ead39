// SPDX-License-Identifier: Apache-2.0
#include "job/mask/masker.h"

#include <random>

#include <gtest/gtest.h>

#include "job/base/encoding.h"
#include "job/config/column_type.h"
#include "job/mask/seal.h"
#include "job/record/decode.h"
#include "tests/support/seeded_random.h"
#include "tests/unit/mask_vectors.h"

namespace sluice {
namespace {

constexpr std::string_view kId = "00112233-4455-6677-8899-aabbccddeeff";

Source key(std::string name) { return {Source::Kind::field, name, {name}}; }

Column column(const std::string& from, std::string_view type, bool required = false) {
  Column made;
  made.name = from;
  made.source = key(from);
  made.type = *parse_type(type);
  made.required = required;
  return made;
}

Column masked(const std::string& from, MaskMethod method, Canonical form = Canonical::text,
              std::string_view type = "varchar(256)") {
  Column made = column(from, type);
  made.mask = Mask{method, from, form, {}};
  return made;
}

Pipeline pipeline_of(const std::vector<std::vector<Column>>& tables) {
  Pipeline pipeline;
  for (const auto& columns : tables) {
    pipeline.tables.push_back(
        {"public", "t" + std::to_string(pipeline.tables.size()), columns, {}});
  }
  return pipeline;
}

/// The login pipeline as it is shipped.
Pipeline logins() {
  Column ip = masked("ip", MaskMethod::hmac_sha256, Canonical::ip);
  Column device = masked("device_id", MaskMethod::hmac_sha256);
  Column version = column("app_version", "integer", true);
  Column created = column("@sent_at", "date");
  ip.required = device.required = true;
  version.as = As::version_number;
  created.source = {Source::Kind::sent_at, "@sent_at", {}};
  return pipeline_of(
      {{column("user_id", "varchar(128)", true), column("device_type", "varchar(32)", true), ip,
        device, column("locale", "varchar(32)"), version, created}});
}

/// A message staged by a masker of its own.
struct Staged {
  StagedBatch batch;
  std::vector<StagedMessage> messages;
  Masker::Verdict verdict;

  const StagedMessage& only() const { return messages.at(0); }
  std::string reason() const { return std::string(only().rejection.reason); }
  std::string field() const { return std::string(only().rejection.field); }
  /// The fields of the first table's row, "NULL" where there is none.
  std::vector<std::string> fields(std::size_t table = 0) const {
    std::string_view tuple = only().rows.at(table).tuple;
    const auto take = [&tuple](std::size_t size) {
      std::int64_t value = 0;
      for (std::size_t i = 0; i < size; ++i)
        value = value << 8 | static_cast<unsigned char>(tuple[i]);
      tuple.remove_prefix(size);
      return value;
    };
    std::vector<std::string> out;
    for (std::int64_t left = take(2); left > 0; --left) {
      const std::int64_t size = take(4);
      if (size == 0xffffffff) {
        out.emplace_back("NULL");
        continue;
      }
      out.emplace_back(tuple.substr(0, static_cast<std::size_t>(size)));
      tuple.remove_prefix(static_cast<std::size_t>(size));
    }
    EXPECT_TRUE(tuple.empty());
    return out;
  }
};

const Keyring& keyring() {
  static const Keyring the_keyring = Keyring::parse(kVectorKeyring, "vectors");
  return the_keyring;
}

Message message_of(std::string body) {
  Message message;
  message.id = kId;
  message.body = std::move(body);
  message.sent_ms = 1'795'169'220'123;
  message.receive_count = 2;
  return message;
}

std::unique_ptr<Staged> stage(const Pipeline& pipeline, const Message& message) {
  auto staged = std::make_unique<Staged>();
  Masker masker(pipeline, keyring());
  staged->verdict = masker.stage(message, staged->batch);
  EXPECT_TRUE(unpack(staged->batch.bytes(), staged->messages));
  EXPECT_EQ(staged->verdict.rejected, staged->only().rejected);
  EXPECT_EQ(staged->verdict.reason, staged->only().rejection.reason);
  return staged;
}
std::unique_ptr<Staged> stage(const Pipeline& pipeline, std::string body) {
  return stage(pipeline, message_of(std::move(body)));
}

constexpr const char* kLogin =
    R"({"user_id":"424cdd21","app_version":"2.3.0","device_type":"android","ip":"199.172.111.135",)"
    R"("locale":"RU","device_id":"593-47-5928"})";

TEST(Masker, a_login_becomes_one_masked_row) {
  const auto staged = stage(logins(), kLogin);
  EXPECT_FALSE(staged->verdict.rejected);
  EXPECT_EQ(staged->only().key.sent_ms, 1'795'169'220'123);
  EXPECT_EQ(staged->only().receive_count, 2U);
  EXPECT_EQ(staged->only().rows.at(0).table, 0);
  EXPECT_EQ(
      staged->fields(),
      (std::vector<std::string>{
          "424cdd21", "android", "35ca4fc54b725537ebb8866a6d4ee23041b8b082ec77b78084106e3c7bb9fade",
          "7689be518407f863e212dfc91d653904948a9b8bda5bcc923a349f0d5a96a521", "RU",
          std::string("\0\0\x4f\x4c", 4), std::string("\0\0\x26\x5c", 4)}));
}

TEST(Masker, keys_in_another_order_and_unnamed_ones_change_nothing) {
  const auto plain = stage(logins(), kLogin);
  const auto other = stage(
      logins(),
      R"({"secret":{"ip":"9.9.9.9","n":[1e400,"\u0000"]},"device_id":"593-47-5928","locale":"RU",)"
      R"("ip":"199.172.111.135","device_type":"android","app_version":"2.3.0","user_id":"424cdd21"})");
  EXPECT_EQ(plain->batch.bytes(), other->batch.bytes());
}

TEST(Masker, a_message_yields_a_row_for_each_table_or_none) {
  const Pipeline two =
      pipeline_of({{column("a", "text"), column("b", "text")}, {column("c", "integer", true)}});
  const auto rows = stage(two, R"({"a":"x","c":7})");
  ASSERT_EQ(rows->only().rows.size(), 2U);
  EXPECT_EQ(rows->fields(0), (std::vector<std::string>{"x", "NULL"}));
  EXPECT_EQ(rows->fields(1), (std::vector<std::string>{std::string("\0\0\0\7", 4)}));
  EXPECT_EQ(rows->only().rows[1].table, 1);
  const auto none = stage(two, R"({"a":"x","c":"7"})");
  EXPECT_EQ(none->reason(), "wrong-type");
  EXPECT_EQ(none->field(), "c");
  EXPECT_TRUE(none->only().rows.empty());
}

TEST(Masker, missing_null_and_empty_are_three_things) {
  Column strict = column("v", "text", true);
  Column lenient = strict;
  lenient.nullable = true;
  for (const bool hidden : {false, true}) {
    const auto with = [hidden](Column each) {
      if (hidden) each.mask = masked("v", MaskMethod::hmac_sha256).mask;
      return pipeline_of({{each}});
    };
    EXPECT_EQ(stage(with(strict), "{}")->reason(), "missing-field");
    EXPECT_EQ(stage(with(strict), R"({"v":null})")->reason(), "missing-field");
    EXPECT_NE(stage(with(strict), R"({"v":""})")->fields()[0], "NULL");
    EXPECT_EQ(stage(with(lenient), "{}")->reason(), "missing-field");
    EXPECT_EQ(stage(with(lenient), R"({"v":null})")->fields()[0], "NULL");
    EXPECT_EQ(stage(with(column("v", "text")), "{}")->fields()[0], "NULL");
    EXPECT_EQ(stage(with(column("v", "text")), R"({"v":null})")->fields()[0], "NULL");
  }
}

TEST(Masker, only_strings_are_masked) {
  for (const std::string_view json : {"7", "false", "[\"a\"]", R"({"a":1})"}) {
    const auto staged = stage(pipeline_of({{masked("v", MaskMethod::hmac_sha256)}}),
                              "{\"v\":" + std::string(json) + "}");
    EXPECT_EQ(staged->reason(), "wrong-type") << json;
    EXPECT_EQ(staged->field(), "v");
  }
}

TEST(Masker, redact_and_drop_do_not_look_at_the_value) {
  const Pipeline both =
      pipeline_of({{masked("v", MaskMethod::redact), masked("v", MaskMethod::drop)}});
  for (const std::string_view body : {"{}", R"({"v":null})", R"({"v":7})", R"({"v":"x"})"}) {
    EXPECT_EQ(stage(both, std::string(body))->fields(),
              (std::vector<std::string>{"[redacted]", "NULL"}))
        << body;
  }
}

TEST(Masker, a_salt_is_another_field_and_must_be_there) {
  Column salted = masked("v", MaskMethod::sha256_salted);
  salted.mask->salt = key("s");
  const Pipeline pipeline = pipeline_of({{salted}});
  const std::string sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(stage(pipeline, R"({"v":"a","s":"bc"})")->fields()[0], sum);
  EXPECT_EQ(stage(pipeline, R"({"v":"a1","s":2.50})")->fields()[0],
            stage(pipeline, R"({"v":"a","s":"12.50"})")->fields()[0]);
  EXPECT_EQ(stage(pipeline, R"({"v":"a"})")->reason(), "missing-field");
  EXPECT_EQ(stage(pipeline, R"({"v":"a"})")->field(), "s");
  EXPECT_EQ(stage(pipeline, R"({"v":"a","s":true})")->reason(), "wrong-type");
  EXPECT_EQ(stage(pipeline, R"({"s":"a"})")->fields()[0], "NULL");
  salted.type = *parse_type("varchar(63)");
  const auto narrow = stage(pipeline_of({{salted}}), R"({"v":"a","s":"bc"})");
  EXPECT_EQ(narrow->reason(), "too-long");
  EXPECT_EQ(narrow->field(), "v");
}

TEST(Masker, lower_and_trim_come_before_the_mask) {
  Column lowered = masked("v", MaskMethod::hmac_sha256);
  lowered.as = As::lower;
  const Pipeline pipeline = pipeline_of({{lowered}});
  EXPECT_EQ(stage(pipeline, R"({"v":"\u00c4B"})")->fields(),
            stage(pipeline, R"({"v":"\u00e4b"})")->fields());
}

TEST(Masker, the_first_fault_is_told_body_before_columns) {
  const Pipeline pipeline = logins();
  EXPECT_EQ(stage(pipeline, R"({"user_id":7,"ip":7})")->field(), "user_id");
  const auto late = stage(pipeline, R"({"user_id":7,"x":{"a":1,"a":2}})");
  EXPECT_EQ(late->reason(), "duplicate-key");
  EXPECT_EQ(late->field(), "");
  EXPECT_EQ(stage(pipeline, "")->reason(), "not-json");
  EXPECT_EQ(stage(pipeline, "[]")->reason(), "not-an-object");
  Message lone = message_of(kLogin);
  lone.bad_encoding = true;
  EXPECT_EQ(stage(pipeline, lone)->reason(), "bad-encoding");
}

TEST(Masker, a_nul_in_a_named_field_is_refused_masked_or_not) {
  EXPECT_EQ(stage(pipeline_of({{column("v", "text")}}), R"({"v":"a\u0000"})")->reason(),
            "bad-encoding");
  EXPECT_EQ(
      stage(pipeline_of({{masked("v", MaskMethod::hmac_sha256)}}), R"({"v":"a\u0000"})")->reason(),
      "bad-encoding");
}

TEST(Masker, envelopes_of_other_services_are_refused_once) {
  for (
      const std::string_view body :
      {R"({"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"})",
       R"({"Type":"Notification","Message":"{\"user_id\":\"u\"}"})",
       R"(["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"b","s3Key":"k"}])",
       "eyJ1c2VyX2lkIjoidSJ9"}) {
    EXPECT_TRUE(stage(logins(), std::string(body))->verdict.rejected) << body;
  }
}

TEST(Masker, a_rejected_body_is_sealed_whole_and_for_its_message) {
  const std::string body = "no json, and a very private thing";
  const auto staged = stage(logins(), body);
  const StagedMessage& message = staged->only();
  EXPECT_EQ(message.key_id, "k-test");
  EXPECT_EQ(unseal(keyring(), message.key_id, message.key.id, message.sealed_body), body);
  EXPECT_EQ(staged->batch.bytes().find("private"), std::string::npos);
}

TEST(Masker, what_was_found_unusable_before_is_rejected_for_that) {
  Message message = message_of(kLogin);
  message.unusable = Rejection{Reason::bad_value, "expected a time"};
  message.unusable_field = "at";
  const auto staged = stage(logins(), message);
  EXPECT_EQ(staged->reason(), "bad-value");
  EXPECT_EQ(staged->field(), "at");
  EXPECT_EQ(staged->only().rejection.detail, "expected a time");
  EXPECT_EQ(
      unseal(keyring(), staged->only().key_id, staged->only().key.id, staged->only().sealed_body),
      kLogin);
}

TEST(Masker, a_time_that_is_not_known_is_null_or_missing) {
  Message message = message_of(kLogin);
  message.sent_ms = 0;
  Pipeline pipeline = logins();
  EXPECT_EQ(stage(pipeline, message)->fields().back(), "NULL");
  pipeline.tables[0].columns.back().required = true;
  EXPECT_EQ(stage(pipeline, message)->reason(), "missing-field");
  EXPECT_EQ(stage(pipeline, message)->field(), "@sent_at");
}

TEST(Masker, where_rejections_are_forwarded_every_message_keeps_its_body_sealed) {
  for (const Rejections rejections :
       {Rejections::table, Rejections::dead_letter_queue, Rejections::leave}) {
    Pipeline pipeline = logins();
    pipeline.rejections = rejections;
    Masker masker(pipeline, keyring());
    StagedBatch batch;
    std::vector<StagedMessage> messages;
    const std::vector<std::string> bodies = {kLogin, "broken", kLogin};
    for (const std::string& body : bodies) (void)masker.stage(message_of(body), batch);
    ASSERT_TRUE(unpack(batch.bytes(), messages));
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      const StagedMessage& message = messages.at(i);
      EXPECT_EQ(message.rejected, i == 1);
      if (rejections == Rejections::dead_letter_queue || message.rejected) {
        EXPECT_EQ(unseal(keyring(), message.key_id, message.key.id, message.sealed_body),
                  bodies[i]);
      } else {
        EXPECT_EQ(message.key_id, "");
        EXPECT_EQ(message.sealed_body, "");
      }
    }
    EXPECT_EQ(batch.bytes().find("199.172"), std::string::npos);
  }
}

TEST(Masker, group_and_sequence_of_a_fifo_queue_are_carried) {
  for (const char* body : {kLogin, "broken"}) {
    Message message = message_of(body);
    message.group = "tenant 7";
    message.sequence = "18849496460467696128";
    const auto staged = stage(logins(), message);
    EXPECT_EQ(staged->only().group, "tenant 7");
    EXPECT_EQ(staged->only().sequence, "18849496460467696128");
  }
}

/// An envelope of SNS; `message` is written as it stands.
std::string notification(const std::string& message) {
  return R"({"Type":"Notification","MessageId":"m","TopicArn":"a","Message":)" + message +
         R"(,"MessageAttributes":{"tenant":{"Type":"String","Value":"seven"}}})";
}

TEST(Masker, a_wrapped_body_becomes_the_row_that_the_bare_one_does) {
  Pipeline pipeline = logins();
  const auto bare = stage(pipeline, kLogin);
  pipeline.encoding = Encoding::base64;
  EXPECT_EQ(stage(pipeline, to_base64(kLogin))->batch.bytes(), bare->batch.bytes());
  pipeline.unwrap_sns = true;
  EXPECT_EQ(stage(pipeline, notification("\"" + to_base64(kLogin) + "\""))->batch.bytes(),
            bare->batch.bytes());
}

TEST(Masker, attributes_come_from_the_envelope) {
  Column tenant = column("@attribute/tenant", "text");
  tenant.source = {Source::Kind::attribute, "@attribute/tenant", {"tenant"}};
  Pipeline pipeline = pipeline_of({{tenant}});
  pipeline.unwrap_sns = true;
  Message message = message_of(notification(R"("{}")"));
  message.attributes = {{"tenant", "String", "of sqs"}};
  EXPECT_EQ(stage(pipeline, message)->fields()[0], "seven");
  message.body = "{}";
  EXPECT_EQ(stage(pipeline, message)->fields()[0], "of sqs");
}

TEST(Masker, a_rejection_names_the_envelopes_key_and_seals_the_body_as_it_came) {
  Pipeline pipeline = logins();
  pipeline.unwrap_sns = true;
  const struct {
    std::string body;
    const char* reason;
    const char* field;
  } cases[] = {
      {notification("7"), "wrong-type", "Message"},
      {notification(R"("no json")"), "not-json", ""},
      {notification(R"("{\"user_id\":7}")"), "wrong-type", "user_id"},
      {R"({"Type":"SubscriptionConfirmation","TopicArn":"a"})", "bad-value", "Type"},
      {R"(["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3Key":"k"}])", "not-an-object",
       ""},
  };
  for (const auto& each : cases) {
    const auto staged = stage(pipeline, each.body);
    EXPECT_EQ(staged->reason(), each.reason) << each.body;
    EXPECT_EQ(staged->field(), each.field) << each.body;
    const StagedMessage& message = staged->only();
    EXPECT_EQ(unseal(keyring(), message.key_id, message.key.id, message.sealed_body), each.body);
  }
}

TEST(Masker, a_body_of_one_mebibyte_is_a_row_and_one_byte_more_is_not) {
  const Pipeline pipeline = pipeline_of({{column("v", "text")}});
  const std::string smile = "\xf0\x9f\x98\x80";
  std::string text;
  while (text.size() < Body::kMostBytes - 8) text += smile;
  const std::string body = "{\"v\":\"" + text + "\"}";
  ASSERT_EQ(body.size(), Body::kMostBytes);
  EXPECT_EQ(stage(pipeline, body)->fields()[0], text);
  const auto longer = stage(pipeline, body + " ");
  EXPECT_EQ(longer->reason(), "too-large");
  EXPECT_EQ(
      unseal(keyring(), longer->only().key_id, longer->only().key.id, longer->only().sealed_body),
      body + " ");
}

TEST(Masker, one_masker_serves_message_after_message) {
  const Pipeline pipeline = logins();
  Masker masker(pipeline, keyring());
  StagedBatch batch;
  std::vector<StagedMessage> messages;
  for (const char* body : {kLogin, "broken", kLogin, R"({"user_id":"x"})", kLogin}) {
    (void)masker.stage(message_of(body), batch);
  }
  ASSERT_TRUE(unpack(batch.bytes(), messages));
  ASSERT_EQ(messages.size(), 5U);
  for (const std::size_t good : {0U, 2U, 4U}) {
    ASSERT_FALSE(messages[good].rejected);
    EXPECT_EQ(messages[good].rows.at(0).tuple, messages[0].rows.at(0).tuple);
  }
  EXPECT_TRUE(messages[1].rejected);
  EXPECT_TRUE(messages[3].rejected);
}

/// A value of some kind that holds the canary, to put anywhere in a body.
std::string with_canary(SeededRandom& random, const std::string& canary) {
  switch (random.below(6)) {
    case 0:
      return "\"" + canary + "\"";
    case 1:
      return "\"" + canary + "\\u0000\"";
    case 2:
      return canary;
    case 3:
      return "[\"" + canary + "\"]";
    case 4:
      return "{\"" + canary + "\":1,\"" + canary + "\":2}";
    default:
      return "\"" + std::string(random.below(300), 'x') + canary + "\"";
  }
}

TEST(Masker, no_masked_value_and_no_body_of_a_rejection_is_staged_in_clear) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  const std::string canary = "7316499258";
  std::vector<Column> columns;
  for (const std::string_view type :
       {"varchar(5)", "smallint", "integer", "numeric(3,1)", "real", "boolean", "date",
        "timestamptz", "timestamp", "uuid", "inet", "bytea"}) {
    columns.push_back(column(std::string(type), type));
  }
  for (const MaskMethod method :
       {MaskMethod::hmac_sha256, MaskMethod::aes_siv, MaskMethod::sha256, MaskMethod::redact,
        MaskMethod::drop, MaskMethod::ip_prefix, MaskMethod::email_domain}) {
    columns.push_back(masked("m" + std::to_string(columns.size()), method,
                             random.chance(0.3) ? Canonical::ip : Canonical::text));
  }
  const Pipeline pipeline = pipeline_of({columns});
  Masker masker(pipeline, keyring());
  int rejected = 0;
  for (int round = 0; round < 3000; ++round) {
    const Column& target = columns[random.below(columns.size())];
    std::string body = "{\"" + target.name + "\":" + with_canary(random, canary) + "}";
    if (random.chance(0.1)) body.resize(body.size() - 1);
    StagedBatch batch;
    rejected += masker.stage(message_of(body), batch).rejected ? 1 : 0;
    // Only a real holds a number in clear, as bits; every other clear column here must refuse the
    // canary.
    EXPECT_EQ(batch.bytes().find(canary), std::string::npos) << body;
  }
  EXPECT_GT(rejected, 500);
}

TEST(MessageId, is_the_uuid_of_sqs) {
  EXPECT_EQ(to_hex({reinterpret_cast<const char*>(message_id(kId).data()), 16}),
            "00112233445566778899aabbccddeeff");
  EXPECT_EQ(message_id("00112233-4455-6677-8899-AABBCCDDEEFF"), message_id(kId));
}

TEST(MessageId, of_another_server_becomes_a_uuid_of_its_digest) {
  const MessageId made = message_id("abc");
  EXPECT_EQ(to_hex({reinterpret_cast<const char*>(made.data()), 16}),
            "ba7816bf8f018fea814140de5dae2223");
  EXPECT_NE(message_id("abd"), made);
  EXPECT_NE(message_id(""), made);
}

}  // namespace
}  // namespace sluice
