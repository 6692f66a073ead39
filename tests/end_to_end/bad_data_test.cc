// SPDX-License-Identifier: Apache-2.0
// Every kind of bad body through the real program: rejected once for the reason that is documented,
// or loaded, and its neighbours with it.
#include "tests/end_to_end/bodies.h"

namespace sluice {
namespace {

std::string repeated(const std::string& part, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += part;
  return out;
}

/// A good body but for `field`, which is written as `json`, or left out when that is empty.
std::string login_with(const std::string& field, const std::string& json) {
  boost::json::object body = boost::json::parse(login_body("odd")).as_object();
  body.erase(field);
  std::string text = boost::json::serialize(body);
  if (!json.empty()) text.insert(text.size() - 1, ",\"" + field + "\":" + json);
  return text;
}

/// One more field, which the pipeline does not name.
std::string login_beside(const std::string& json) { return login_with("unnamed", json); }

std::string quoted(const std::string& text) { return '"' + text + '"'; }

const std::string kPointer =
    R"(["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"b","s3Key":"k"}])";
const std::string kTestEvent =
    R"({"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-11-20T10:07:00.000Z",)"
    R"("Bucket":"b","RequestId":"r","HostId":"h"})";

std::vector<JudgedBody> broken_bodies() {
  const std::string good = login_body("odd");
  std::string wide;  // as UTF-16 without a mark, read byte by byte
  for (const char c : good) wide += std::string{c, '\0'};
  return {
      {"empty", "", "not-json "},
      {"blank", " \n\t ", "not-json "},
      {"no JSON", "hello", "not-json "},
      {"truncated", good.substr(0, good.size() / 2), "not-json "},
      {"truncated by a byte", good.substr(0, good.size() - 1), "not-json "},
      {"two objects", good + good, "not-json "},
      {"a comment", "/* */" + good, "not-json "},
      {"a comma too many", good.substr(0, good.size() - 1) + ",}", "not-json "},
      {"single quotes", "{'user_id':'u'}", "not-json "},
      {"NaN", login_beside("NaN"), "not-json "},
      {"a leading zero", login_beside("01"), "not-json "},
      {"a raw tab in a string", login_beside("\"\t\""), "not-json "},
      {"a byte order mark", "\ufeff" + good, "not-json "},
      {"UTF-16", wide, "not-json "},
      {"base64 that no pipeline named", "eyJ1c2VyX2lkIjoidSJ9", "not-json "},
      {"an array", "[" + good + "]", "not-an-object "},
      {"a string", quoted("text"), "not-an-object "},
      {"a number", "17", "not-an-object "},
      {"null", "null", "not-an-object "},
      {"true", "true", "not-an-object "},
      {"a pointer into S3", kPointer, "not-an-object "},
      {"an empty object", "{}", "missing-field user_id"},
      {"S3's test event", kTestEvent, "missing-field user_id"},
      {"an envelope that no pipeline named",
       R"({"Type":"Notification","TopicArn":"a","Message":"{}"})", "missing-field user_id"},
      {"a key twice", R"({"user_id":"a",)" + good.substr(1), "duplicate-key "},
      {"a key twice, once escaped", R"({"user_\u0069d":"a",)" + good.substr(1), "duplicate-key "},
      {"a key twice deep inside", login_beside(R"([{"a":[{"b":1,"b":1}]}])"), "duplicate-key "},
      {"a bomb of depth", repeated("[", 500'000), "too-large "},
      {"a bomb of depth in a field", login_beside(repeated("[", 32) + repeated("]", 32)),
       "too-large "},
      {"as deep as it may be", login_beside(repeated("[", 31) + repeated("]", 31)), ""},
      {"a bomb of objects", repeated(R"({"a":)", 100'000), "too-large "},
      {"a byte more than a mebibyte", good + std::string(1'048'577 - good.size(), ' '),
       "too-large "},
      {"a mebibyte", good + std::string(1'048'576 - good.size(), ' '), ""},
      {"an exponent beyond 32 bits", login_beside("1e99999999999"), "out-of-range "},
      {"a number of 400 digits that nobody reads", login_beside(repeated("9", 400)), ""},
      {"1e400 that nobody reads", login_beside("1e400"), ""},
      {"U+0000 that nobody reads", login_beside(R"("a\u0000b")"), ""},
      {"a lone surrogate as an escape", login_beside(R"("\ud800")"), "bad-encoding "},
      {"the wrong half of a pair first", login_with("user_id", R"("\udc00\ud83d")"),
       "bad-encoding "},
      {"a lone surrogate as SQS carries it", login_beside("\"\xed\xa0\x80\""), "bad-encoding "},
      {"a lone surrogate and no JSON", "\xed\xbf\xbf", "bad-encoding "}};
}

std::vector<JudgedBody> odd_fields() {
  return {
      {"user_id missing", login_with("user_id", ""), "missing-field user_id"},
      {"user_id null", login_with("user_id", "null"), "missing-field user_id"},
      {"user_id empty", login_with("user_id", quoted("")), ""},
      {"user_id a number", login_with("user_id", "17"), "wrong-type user_id"},
      {"user_id true", login_with("user_id", "true"), "wrong-type user_id"},
      {"user_id an array", login_with("user_id", "[\"u\"]"), "wrong-type user_id"},
      {"user_id an object", login_with("user_id", "{\"u\":1}"), "wrong-type user_id"},
      {"user_id with U+0000", login_with("user_id", R"("a\u0000b")"), "bad-encoding user_id"},
      {"user_id of 128 characters beyond U+FFFF",
       login_with("user_id", quoted(repeated("\U0001F600", 128))), ""},
      {"user_id of 129", login_with("user_id", quoted(repeated("x", 129))), "too-long user_id"},
      {"user_id of a mebibyte", login_with("user_id", quoted(repeated("x", 1'000'000))),
       "too-long user_id"},
      {"ip missing", login_with("ip", ""), "missing-field ip"},
      {"ip null", login_with("ip", "null"), "missing-field ip"},
      {"ip empty", login_with("ip", quoted("")), "bad-value ip"},
      {"ip a number", login_with("ip", "17"), "wrong-type ip"},
      {"ip with leading zeros", login_with("ip", quoted("010.1.2.3")), "bad-value ip"},
      {"ip with U+0000", login_with("ip", R"("\u0000")"), "bad-encoding ip"},
      {"device_id missing", login_with("device_id", ""), "missing-field device_id"},
      {"device_id empty", login_with("device_id", quoted("")), ""},
      {"device_id an object", login_with("device_id", "{}"), "wrong-type device_id"},
      {"device_id of a mebibyte", login_with("device_id", quoted(repeated("x", 1'000'000))), ""},
      {"device_id of combining marks",
       login_with("device_id", quoted("e" + repeated("\u0301", 100'000))), "bad-value device_id"},
      {"locale missing", login_with("locale", ""), ""},
      {"locale null", login_with("locale", "null"), ""},
      {"locale empty", login_with("locale", quoted("")), ""},
      {"locale a number", login_with("locale", "7"), "wrong-type locale"},
      {"version missing", login_with("app_version", ""), "missing-field app_version"},
      {"version empty", login_with("app_version", quoted("")), "bad-value app_version"},
      {"version a number", login_with("app_version", "2.3"), "wrong-type app_version"},
      {"version with a word", login_with("app_version", quoted("2.3.0-beta")),
       "bad-value app_version"},
      {"version 0.3.7", login_with("app_version", quoted("0.3.7")), ""},
      {"version 3.7", login_with("app_version", quoted("3.7")), ""},
      {"version 2.10", login_with("app_version", quoted("2.10")), ""},
      {"version 2.100", login_with("app_version", quoted("2.100")), "out-of-range app_version"},
      {"version beyond its column", login_with("app_version", quoted("214749.0.0")),
       "out-of-range app_version"},
      {"version of 400 digits", login_with("app_version", quoted(repeated("9", 400))),
       "out-of-range app_version"}};
}

std::string plain(const std::string& user) { return login_body(user); }

TEST(BadData, every_broken_body_is_rejected_once_and_its_neighbours_load) {
  LoginWorld world;
  JudgedRun(world).expect_verdicts(broken_bodies(), plain);
}

TEST(BadData, every_odd_field_is_a_rejection_with_its_name_or_a_row_and_empty_is_not_null) {
  LoginWorld world;
  JudgedRun(world).expect_verdicts(odd_fields(), plain);
  EXPECT_EQ(world.database().rows(
                "SELECT locale IS NULL, count(*) FROM public.user_logins WHERE user_id = 'odd' AND "
                "coalesce(locale, '') = '' GROUP BY 1 ORDER BY 1"),
            (std::vector<Row>{{"f", "1"}, {"t", "2"}}));
  EXPECT_EQ(world.database().rows(
                "SELECT app_version FROM public.user_logins WHERE user_id = 'odd' AND app_version "
                "<> 10203 ORDER BY 1"),
            (std::vector<Row>{{"307"}, {"21000"}, {"30700"}}))
      << "0.3.7, 2.10 and 3.7 must not collide";
  EXPECT_EQ(world.database().value("SELECT count(*) FROM public.user_logins WHERE user_id = '' AND "
                                   "masked_device_id <> ''"),
            "1");
}

TEST(BadData, keys_in_another_order_and_keys_nobody_named_change_no_column) {
  LoginWorld world;
  boost::json::object body = boost::json::parse(login_body("reordered")).as_object();
  std::string reversed;
  for (const auto& [key, value] : body) {
    reversed = "," + quoted(std::string(key)) + ":" + boost::json::serialize(value) + reversed;
  }
  world.send_body("{" + reversed.substr(1) + R"(,"create_date":"1999-01-01","masked_ip":"clear"})");
  world.send_body(login_body("plain"));
  EXPECT_EQ(world.run({"--empty-polls", "1"}).status, 0);
  EXPECT_EQ(
      world.database().rows(
          "SELECT count(*), count(DISTINCT (device_type, masked_ip, masked_device_id, locale, "
          "app_version, create_date)), sum((masked_ip = 'clear')::int) FROM "
          "public.user_logins"),
      (std::vector<Row>{{"2", "1", "0"}}));
}

}  // namespace
}  // namespace sluice
