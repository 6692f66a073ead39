// SPDX-License-Identifier: Apache-2.0
// Bad bodies of a pipeline that unwraps SNS and gzip, and attributes of every kind.
#include "job/base/encoding.h"
#include "tests/end_to_end/bodies.h"
#include "tests/support/packing.h"

namespace sluice {
namespace {

std::string encoded(const std::string& text) { return to_base64(gzip(text)); }

std::string notification(const std::string& message, const std::string& more = "") {
  return R"({"Type":"Notification","MessageId":"m","TopicArn":"arn:aws:sns:us-east-1:0:t",)"
         R"("Message":)" +
         boost::json::serialize(boost::json::value(message)) + more + "}";
}

std::string wide(const std::string& text) {
  std::string out = "\xff\xfe";
  for (const char c : text) out += std::string{c, '\0'};
  return out;
}

std::vector<JudgedBody> wrapped_bodies() {
  const std::string login = login_body("odd");
  const std::string packed = gzip(login);
  std::string bit_flipped = packed;
  bit_flipped[packed.size() / 2] ^= 4;
  const std::string bomb = gzip(std::string(16 << 20, ' '));
  return {
      {"empty", "", "bad-encoding "},
      {"bare JSON where gzip is due", login, "bad-encoding "},
      {"nonsense", "%%%%", "bad-encoding "},
      {"base64 cut short", encoded(login).substr(0, 41), "bad-encoding "},
      {"base64 for the web", "H4sIAAAAAAAC_-_-", "bad-encoding "},
      {"base64 of no gzip", to_base64(login), "bad-encoding "},
      {"base64 of nothing", to_base64(gzip("")), "not-json "},
      {"gzip cut short", to_base64(packed.substr(0, packed.size() - 9)), "bad-encoding "},
      {"gzip with a flipped bit", to_base64(bit_flipped), "bad-encoding "},
      {"gzip with more behind it", to_base64(packed + "more"), "bad-encoding "},
      {"gzip in gzip", encoded(packed), "bad-encoding "},
      {"gzip of UTF-16", encoded(wide(login)), "bad-encoding "},
      {"gzip of no UTF-8", encoded("{\"user_id\":\"\xff\xfe\"}"), "bad-encoding "},
      {"gzip of surrogates in UTF-8", encoded("{\"user_id\":\"\xed\xa0\x80\"}"), "bad-encoding "},
      {"gzip of overlong UTF-8", encoded("{\"user_id\":\"\xc0\x80\"}"), "bad-encoding "},
      {"gzip of no JSON", encoded("hello"), "not-json "},
      {"gzip of an array", encoded("[]"), "not-an-object "},
      {"gzip of a raw U+0000", encoded(std::string("{\"a\":\"\0\"}", 9)), "not-json "},
      {"a bomb", to_base64(bomb), "too-large "},
      {"a bomb in an envelope", notification(to_base64(bomb)), "too-large "},
      {"bombs behind one another", to_base64(bomb + bomb + bomb), "too-large "},
      {"a pointer into S3",
       R"(["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3Key":"k"}])", "not-an-object "},
      {"a subscription", R"({"Type":"SubscriptionConfirmation","TopicArn":"a","Token":"t"})",
       "bad-value Type"},
      {"an envelope without a message", R"({"Type":"Notification","TopicArn":"a"})",
       "missing-field Message"},
      {"an envelope of an object", R"({"Type":"Notification","TopicArn":"a","Message":{}})",
       "wrong-type Message"},
      {"an envelope in an envelope", notification(notification(encoded(login))), "bad-encoding "},
      {"an envelope with a key twice", notification(encoded(login), R"(,"Type":"Notification")"),
       "duplicate-key "},
      {"an envelope with odd attributes", notification(encoded(login), R"(,"MessageAttributes":7)"),
       "wrong-type MessageAttributes"},
      {"an envelope of bare JSON", notification(login), "bad-encoding "},
      {"an envelope", notification(encoded(login)), ""},
      {"raw", encoded(login), ""},
      {"raw, in lines", encoded(login).insert(20, "\r\n"), ""},
  };
}

std::vector<JudgedBody> attributes() {
  const std::string body = login_body("odd");
  return {
      {"none", body, ""},
      {"a number", body, "", {{"level", "Number", "7"}}},
      {"a number with a label", body, "", {{"level", "Number.int", "-7"}}},
      {"a number that JSON does not know",
       body,
       "bad-value @attribute/level",
       {{"level", "Number", "007"}}},
      {"a number too large", body, "out-of-range @attribute/level", {{"level", "Number", "40000"}}},
      {"a fraction", body, "wrong-type @attribute/level", {{"level", "Number", "1.5"}}},
      {"a text", body, "wrong-type @attribute/level", {{"level", "String", "7"}}},
      {"bytes", body, "wrong-type @attribute/level", {{"level", "Binary", "AP8Q"}}},
      {"bytes that are read", body, "", {{"blob", "Binary.png", "AP8Q"}}},
      {"text for bytes", body, "bad-value @attribute/blob", {{"blob", "String", "no base64"}}},
      {"another", body, "", {{"other", "Binary", "AP8Q"}}}};
}

TEST(BadData, every_broken_wrapping_is_rejected_once_and_its_neighbours_load) {
  LoginWorld world;
  edit_pipeline(world, R"("version": 1,)", R"("version": 1, "unwrap": "sns", "encoding": "gzip",)");
  JudgedRun(world).expect_verdicts(
      wrapped_bodies(), [](const std::string& user) { return encoded(login_body(user)); });
}

TEST(BadData, attributes_of_every_kind_are_read_or_rejected_by_name) {
  LoginWorld world;
  world.database().run("ALTER TABLE public.user_logins ADD level smallint, ADD blob bytea");
  edit_pipeline(world, R"({ "column": "create_date")",
                R"({ "column": "level", "from": "@attribute/level", "type": "smallint" },
        { "column": "blob", "from": "@attribute/blob", "type": "bytea" },
        { "column": "create_date")");
  JudgedRun(world).expect_verdicts(attributes(),
                                   [](const std::string& user) { return login_body(user); });
  EXPECT_EQ(world.database().rows("SELECT level, blob FROM public.user_logins WHERE level IS NOT "
                                  "NULL OR blob IS NOT NULL ORDER BY level"),
            (std::vector<Row>{{"-7", ""}, {"7", ""}, {"", "\\x00ff10"}}));
}

}  // namespace
}  // namespace sluice
