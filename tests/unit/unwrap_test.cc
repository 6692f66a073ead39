// SPDX-License-Identifier: Apache-2.0
// What lies around the JSON of a body: envelopes of SNS, base64, gzip, pointers into S3.
#include "job/record/unwrap.h"

#include <random>

#include <gtest/gtest.h>

#include "job/base/encoding.h"
#include "job/record/value.h"
#include "tests/support/packing.h"
#include "tests/support/seeded_random.h"

namespace sluice {
namespace {

Pipeline wrapped(bool sns, Encoding encoding = Encoding::none) {
  Pipeline pipeline;
  pipeline.unwrap_sns = sns;
  pipeline.encoding = encoding;
  return pipeline;
}

std::string told(const Rejection& fault, std::string_view field) {
  return "!" + std::string(to_text(fault.reason)) + " " + std::string(field) + ": " + fault.detail;
}

/// The JSON that the body yields, when it can be decoded; else what is told of it.
std::string unwrapped(const Pipeline& pipeline, std::string_view text) {
  Unwrapper unwrapper(pipeline);
  if (const auto fault = unwrapper.unwrap(text)) return told(*fault, unwrapper.field());
  Body body;
  if (const auto fault = body.decode(unwrapper.json())) return told(*fault, "");
  return std::string(unwrapper.json());
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

/// As SNS writes it, but for what it says.
std::string envelope_of(std::string_view message, std::string_view attributes = "") {
  return R"({
  "Type" : "Notification",
  "MessageId" : "6f1d7c52-5b0f-5d7e-9a39-2f4f0d3f8a11",
  "TopicArn" : "arn:aws:sns:eu-west-1:000000000000:logins",
  "Subject" : "a login",
  "Message" : )" +
         quoted(message) + R"(,
  "Timestamp" : "2026-11-20T10:07:00.123Z",
  "SignatureVersion" : "1",
  "Signature" : "c2lnbmF0dXJl",
  "SigningCertURL" : "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem",
  "UnsubscribeURL" : "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe")" +
         (attributes.empty() ? "" : ",\n  \"MessageAttributes\" : " + std::string(attributes)) +
         "\n}";
}

std::string compressed(std::string_view text, int window_bits = kGzip) {
  return deflated(text, window_bits);
}

std::string gzipped(std::string_view text) { return to_base64(compressed(text)); }

constexpr std::string_view kJson = R"({"ip":"198.51.100.7"})";
constexpr const char* kNotBase64 = "!bad-encoding : the body is not base64";
constexpr const char* kNotGzip = "!bad-encoding : the body is not gzip in base64";
constexpr const char* kTooLarge = "!too-large : longer than 1 MiB";
constexpr const char* kPointer =
    "!not-an-object : a pointer of the SQS extended client: the body lies in S3, which is not read";

TEST(Unwrap, without_wrappers_a_body_is_not_even_copied) {
  Unwrapper unwrapper(wrapped(false));
  for (const std::string& body : {std::string(kJson), envelope_of(kJson), std::string("no json")}) {
    ASSERT_FALSE(unwrapper.unwrap(body));
    EXPECT_EQ(unwrapper.json().data(), body.data());
    EXPECT_EQ(unwrapper.json().size(), body.size());
    EXPECT_EQ(unwrapper.envelope(), nullptr);
  }
}

TEST(Unwrap, an_envelope_of_sns_yields_its_message) {
  EXPECT_EQ(unwrapped(wrapped(true), envelope_of(kJson)), kJson);
  EXPECT_EQ(unwrapped(wrapped(true), " \n" + envelope_of(kJson)), kJson);
  EXPECT_EQ(unwrapped(wrapped(true), R"({"Type":"Notification","TopicArn":"a","Message":"{}"})"),
            "{}");
  EXPECT_EQ(unwrapped(wrapped(true), R"({"Type":"Notification","MessageId":"m","Message":"{}"})"),
            "{}");
  EXPECT_EQ(unwrapped(wrapped(true), envelope_of("text")), "!not-json : the body is not JSON");
  EXPECT_EQ(unwrapped(wrapped(true), envelope_of("")), "!not-json : the body is not JSON");
}

TEST(Unwrap, a_message_that_came_raw_is_taken_as_it_is) {
  for (const std::string_view raw :
       {R"({"ip":"198.51.100.7"})", "{}", R"({"Type":"login","MessageId":"m","Message":"{}"})",
        R"({"Type":"Notification","Message":"{}"})",
        R"({"Type":"Notification","TopicArn":7,"Message":"{}"})",
        R"({"Type":["Notification"],"TopicArn":"a","Message":"{}"})",
        R"({"x":{"Type":"Notification","TopicArn":"a","Message":"{}"}})"}) {
    EXPECT_EQ(unwrapped(wrapped(true), raw), raw);
  }
  EXPECT_EQ(unwrapped(wrapped(true), "text"), "!not-json : the body is not JSON");
  EXPECT_EQ(unwrapped(wrapped(true), ""), "!not-json : the body is not JSON");
  EXPECT_EQ(unwrapped(wrapped(true), "[]"), "!not-an-object : the body is not a JSON object");
}

TEST(Unwrap, only_one_envelope_is_taken_off) {
  const std::string inner = R"({"Type":"Notification","TopicArn":"a","Message":"{}"})";
  EXPECT_EQ(unwrapped(wrapped(true), envelope_of(inner)), inner);
}

TEST(Unwrap, what_sns_says_about_a_subscription_is_no_message) {
  for (const char* type : {"SubscriptionConfirmation", "UnsubscribeConfirmation"}) {
    EXPECT_EQ(unwrapped(wrapped(true),
                        std::string(R"({"Type":")") + type +
                            R"(","MessageId":"m","Token":"t","TopicArn":"a","Message":"{}",)" +
                            R"("SubscribeURL":"https://sns.eu-west-1.amazonaws.com/"})"),
              "!bad-value Type: a confirmation of SNS, which is no message");
  }
}

TEST(Unwrap, a_notification_needs_a_message_that_is_text) {
  EXPECT_EQ(unwrapped(wrapped(true), R"({"Type":"Notification","TopicArn":"a"})"),
            "!missing-field Message: is not in the envelope of SNS");
  for (const char* other : {"null", "7", "{\"ip\":\"x\"}", "[]", "true"}) {
    EXPECT_EQ(
        unwrapped(wrapped(true),
                  std::string(R"({"Type":"Notification","TopicArn":"a","Message":)") + other + "}"),
        "!wrong-type Message: expected a string in the envelope of SNS");
  }
}

TEST(Unwrap, an_envelope_is_read_as_strictly_as_what_is_in_it) {
  const std::string head = R"({"Type":"Notification","TopicArn":"a","Message":"{}")";
  for (const Encoding encoding : {Encoding::none, Encoding::base64, Encoding::gzip}) {
    const Pipeline sns = wrapped(true, encoding);
    const auto reason = [&sns](const std::string& text) {
      const std::string all = unwrapped(sns, text);
      return all.substr(0, all.find(':'));
    };
    EXPECT_EQ(reason(head + R"(,"Message":"{\"a\":1}"})"), "!duplicate-key ");
    EXPECT_EQ(reason(head + R"(,"x":{"y":1,"y":2}})"), "!duplicate-key ");
    EXPECT_EQ(reason(head), "!not-json ");
    EXPECT_EQ(reason(head + "}}"), "!not-json ");
    EXPECT_EQ(reason(head + ",\"x\":" + std::string(40, '[') + std::string(40, ']') + "}"),
              "!too-large ");
    EXPECT_EQ(reason(head + R"(,"Subject":"\ud83d"})"), "!bad-encoding ");
    EXPECT_EQ(reason(head + ",\"Subject\":\"\xff\"}"), "!bad-encoding ");
    EXPECT_EQ(reason(head + ",\"x\":\"" + std::string(Body::kMostBytes, 'x') + "\"}"),
              "!too-large ");
  }
  EXPECT_EQ(unwrapped(wrapped(true), envelope_of(R"({"a":1,"a":2})")).substr(0, 15),
            "!duplicate-key ");
  EXPECT_EQ(unwrapped(wrapped(true), envelope_of(R"({"a":"\ud83d"})")).substr(0, 14),
            "!bad-encoding ");
}

/// What `@attribute/NAME` reads; "nothing" when it is not there.
std::string attribute(std::string_view name, const Message& message, const Pipeline& pipeline) {
  Unwrapper unwrapper(pipeline);
  Body body;
  Value value;
  std::string scratch;
  if (const auto fault = unwrapper.unwrap(message.body)) return told(*fault, unwrapper.field());
  if (const auto fault = body.decode(unwrapper.json())) return told(*fault, "");
  const Source source{Source::Kind::attribute, "@attribute", {std::string(name)}};
  const auto fault = read(source, {body, message, unwrapper.envelope()}, value, scratch);
  if (fault) return told(*fault, "");
  if (value.is_absent()) return "nothing";
  return std::string(value.kind == Value::Kind::number ? "number " : "") + std::string(value.text);
}

TEST(Unwrap, the_attributes_of_an_envelope_stand_for_those_of_sqs) {
  Message message;
  message.attributes = {{"tenant", "String", "of sqs"}, {"only", "String", "of sqs"}};
  message.body = envelope_of(kJson, R"({"tenant":{"Type":"String","Value":"caf\u00e9"},
      "level":{"Type":"Number","Value":"7.50"},"odd":{"Type":"Number","Value":"007"},
      "tags":{"Type":"String.Array","Value":"[\"a\"]"},"nul":{"Type":"String","Value":"\u0000"}})");
  const Pipeline sns = wrapped(true);
  EXPECT_EQ(attribute("tenant", message, sns), "caf\xc3\xa9");
  EXPECT_EQ(attribute("level", message, sns), "number 7.50");
  EXPECT_EQ(attribute("tags", message, sns), "[\"a\"]");
  EXPECT_EQ(attribute("odd", message, sns).substr(0, 11), "!bad-value ");
  EXPECT_EQ(attribute("nul", message, sns).substr(0, 14), "!bad-encoding ");
  EXPECT_EQ(attribute("only", message, sns), "nothing");
  // Without an envelope, or unasked, they are SQS's own.
  EXPECT_EQ(attribute("tenant", message, wrapped(false)), "of sqs");
  message.body = envelope_of(kJson);
  EXPECT_EQ(attribute("tenant", message, sns), "nothing");
  message.body = kJson;
  EXPECT_EQ(attribute("tenant", message, sns), "of sqs");
}

TEST(Unwrap, attributes_of_another_shape_are_refused) {
  for (const char* other : {"null", "[]", "\"a\"", R"({"a":"b"})", R"({"a":{"Type":"String"}})",
                            R"({"a":{"Value":"b"}})", R"({"a":{"Type":"String","Value":7}})",
                            R"({"a":{"Type":"String","Value":"b"},"c":null})"}) {
    EXPECT_EQ(unwrapped(wrapped(true), envelope_of(kJson, other)),
              "!wrong-type MessageAttributes: expected objects with the strings Type and Value");
  }
  EXPECT_EQ(unwrapped(wrapped(true), envelope_of(kJson, "{}")), kJson);
}

TEST(Unwrap, base64_yields_its_bytes_lines_or_not) {
  const Pipeline base64 = wrapped(false, Encoding::base64);
  EXPECT_EQ(unwrapped(base64, "eyJpcCI6IjE5OC41MS4xMDAuNyJ9"), kJson);
  EXPECT_EQ(unwrapped(base64, "eyJpcCI6IjE5OC41MS4xMDAuNyJ9\n"), kJson);
  EXPECT_EQ(unwrapped(base64, "eyJpcCI6\r\nIjE5OC41MS\r\n4xMDAuNyJ9\r\n"), kJson);
  EXPECT_EQ(unwrapped(base64, to_base64("{\"a\":\"\xf0\x9f\x98\x80\"}")),
            "{\"a\":\"\xf0\x9f\x98\x80\"}");
  EXPECT_EQ(unwrapped(base64, "/w=="), "!bad-encoding : the body is not valid Unicode");
  EXPECT_EQ(unwrapped(base64, ""), "!not-json : the body is not JSON");
}

TEST(Unwrap, what_is_not_base64_to_the_letter_is_refused) {
  for (const std::string_view text :
       {R"({"ip":"198.51.100.7"})",                                    // not encoded at all
        "eyJpcCI6IjE5OC41MS4xMDAuNyJ", "e30", "e3=", "e30==", "e31=",  // padding, stray bits
        "eyJh IjoxfQ==", "eyJhIjox\tfQ==", " e30=", "e30= ",           // other white space
        "e30=e30=", "=e30", "eyJhIjoi_-8ifQ==", "e30=\xff", "[]", "\"e30=\""}) {
    EXPECT_EQ(unwrapped(wrapped(false, Encoding::base64), text), kNotBase64) << text;
    EXPECT_EQ(unwrapped(wrapped(false, Encoding::gzip), text), kNotBase64) << text;
  }
}

TEST(Unwrap, a_body_of_base64_ends_at_one_mebibyte_like_every_other) {
  std::string body = to_base64("{}") + std::string(Body::kMostBytes - 4, '\n');
  EXPECT_EQ(unwrapped(wrapped(false, Encoding::base64), body), "{}");
  body += '\n';
  EXPECT_EQ(unwrapped(wrapped(false, Encoding::base64), body), kTooLarge);
}

TEST(Unwrap, gzip_yields_its_text) {
  const Pipeline gzip = wrapped(false, Encoding::gzip);
  // Made by Python's gzip.
  EXPECT_EQ(
      unwrapped(gzip,
                "H4sIAAAAAAACA6tWyixQslIytLTQMzXUMzQw0DNX0lHKyy9JBYomJ6YdXqmARCrVAgAvSrxFMAAAAA=="),
      "{\"ip\":\"198.51.100.7\",\"note\":\"caf\xc3\xa9 caf\xc3\xa9 caf\xc3\xa9\"}");
  EXPECT_EQ(unwrapped(gzip, gzipped(kJson)), kJson);
  EXPECT_EQ(unwrapped(gzip, gzipped("")), "!not-json : the body is not JSON");
  EXPECT_EQ(unwrapped(gzip, gzipped("\xff")), "!bad-encoding : the body is not valid Unicode");
}

TEST(Unwrap, several_members_of_gzip_are_one_text) {
  const Pipeline gzip = wrapped(false, Encoding::gzip);
  EXPECT_EQ(unwrapped(gzip, to_base64(compressed("{\"ip\":") + compressed("") +
                                      compressed("\"198.51.100.7\"}"))),
            kJson);
  const std::string member = compressed(kJson);
  EXPECT_EQ(unwrapped(gzip, to_base64(member + member.substr(0, member.size() - 1))), kNotGzip);
}

TEST(Unwrap, what_is_not_gzip_to_the_last_byte_is_refused) {
  const Pipeline gzip = wrapped(false, Encoding::gzip);
  const std::string member = compressed(kJson);
  for (std::size_t kept = 0; kept < member.size(); ++kept) {
    EXPECT_EQ(unwrapped(gzip, to_base64(member.substr(0, kept))), kNotGzip) << kept;
  }
  EXPECT_EQ(unwrapped(gzip, to_base64(member + '\0')), kNotGzip);
  EXPECT_EQ(unwrapped(gzip, to_base64(member + "x")), kNotGzip);
  EXPECT_EQ(unwrapped(gzip, to_base64(kJson)), kNotGzip);
  EXPECT_EQ(unwrapped(gzip, to_base64(compressed(kJson, MAX_WBITS))), kNotGzip);   // zlib's own
  EXPECT_EQ(unwrapped(gzip, to_base64(compressed(kJson, -MAX_WBITS))), kNotGzip);  // no checksum
  EXPECT_EQ(unwrapped(gzip, ""), kNotGzip);
}

TEST(Unwrap, no_flipped_bit_of_gzip_yields_another_text) {
  const Pipeline gzip = wrapped(false, Encoding::gzip);
  const std::string member = compressed(kJson);
  int refused = 0;
  for (std::size_t bit = 0; bit < member.size() * 8; ++bit) {
    std::string flipped = member;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const std::string got = unwrapped(gzip, to_base64(flipped));
    EXPECT_TRUE(got == kJson || got == kNotGzip) << bit << got;  // a date may differ
    refused += got == kNotGzip ? 1 : 0;
  }
  EXPECT_GT(refused, static_cast<int>(member.size() - 10) * 8);
}

TEST(Unwrap, inflated_text_ends_at_one_mebibyte) {
  const std::string most = "{\"a\":\"" + std::string(Body::kMostBytes - 8, 'x') + "\"}";
  const Pipeline gzip = wrapped(false, Encoding::gzip);
  EXPECT_EQ(unwrapped(gzip, gzipped(most)), most);
  EXPECT_EQ(unwrapped(gzip, gzipped(most + " ")), kTooLarge);
  EXPECT_EQ(unwrapped(gzip, to_base64(compressed(most) + compressed(""))), most);
  EXPECT_EQ(unwrapped(gzip, to_base64(compressed(most) + compressed(" "))), kTooLarge);
}

TEST(Unwrap, a_bomb_fills_no_more_than_it_may) {
  Unwrapper unwrapper(wrapped(false, Encoding::gzip));
  const std::string bomb = compressed(std::string(16 << 20, ' '));
  for (const std::string& each : {bomb, bomb.substr(0, bomb.size() / 2), bomb + bomb}) {
    ASSERT_FALSE(unwrapper.unwrap(to_base64(each)));
    EXPECT_EQ(unwrapper.json().size(), Body::kMostBytes + 1);
  }
  std::string empty_members;
  while (empty_members.size() < Body::kMostBytes / 2) empty_members += compressed("");
  ASSERT_FALSE(unwrapper.unwrap(to_base64(empty_members + compressed(kJson))));
  EXPECT_EQ(unwrapper.json(), kJson);
}

TEST(Unwrap, the_encoding_lies_inside_the_envelope) {
  const std::string base64 = to_base64(kJson);
  EXPECT_EQ(unwrapped(wrapped(true, Encoding::base64), envelope_of(base64)), kJson);
  EXPECT_EQ(unwrapped(wrapped(true, Encoding::gzip), envelope_of(gzipped(kJson))), kJson);
  EXPECT_EQ(unwrapped(wrapped(true, Encoding::base64), base64), kJson);
  EXPECT_EQ(unwrapped(wrapped(true, Encoding::gzip), gzipped(kJson)), kJson);
  EXPECT_EQ(unwrapped(wrapped(true, Encoding::base64), envelope_of(kJson)), kNotBase64);
  EXPECT_EQ(unwrapped(wrapped(true, Encoding::base64), kJson), kNotBase64);
  const std::string inside = R"({"Type":"Notification","TopicArn":"a","Message":"{}"})";
  EXPECT_EQ(unwrapped(wrapped(true, Encoding::base64), to_base64(inside)), inside);
}

TEST(Unwrap, a_pointer_of_the_extended_client_is_named_wherever_it_lies) {
  for (
      const std::string_view pointer :
      {R"(["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"b","s3Key":"k"}])",
       R"( [ "com.amazon.sqs.javamessaging.MessageS3Pointer" , {"s3BucketName":"b"} ] )"}) {
    for (const Encoding encoding : {Encoding::none, Encoding::base64, Encoding::gzip}) {
      EXPECT_EQ(unwrapped(wrapped(false, encoding), pointer), kPointer);
      EXPECT_EQ(unwrapped(wrapped(true, encoding), pointer), kPointer);
      EXPECT_EQ(unwrapped(wrapped(true, encoding), envelope_of(pointer)), kPointer);
    }
    EXPECT_EQ(unwrapped(wrapped(false, Encoding::base64), to_base64(pointer)), kPointer);
    EXPECT_EQ(unwrapped(wrapped(false, Encoding::gzip), gzipped(pointer)), kPointer);
    EXPECT_EQ(unwrapped(wrapped(true, Encoding::gzip), envelope_of(gzipped(pointer))), kPointer);
  }
  for (const std::string_view other :
       {R"(["software.amazon.payloadoffloading.PayloadS3Pointer"])",
        R"(["software.amazon.payloadoffloading.PayloadS3Pointer","b"])",
        R"(["software.amazon.payloadoffloading.PayloadS3Pointer2",{}])", R"(["a",{}])", "[{}]",
        R"("software.amazon.payloadoffloading.PayloadS3Pointer")"}) {
    EXPECT_EQ(unwrapped(wrapped(false), other), "!not-an-object : the body is not a JSON object");
  }
  EXPECT_EQ(unwrapped(wrapped(false), R"(["software.amazon.payloadoffloading.PayloadS3Pointer",{}])"
                                      "x"),
            "!not-json : the body is not JSON");
}

TEST(Unwrap, one_unwrapper_serves_body_after_body) {
  Unwrapper unwrapper(wrapped(true, Encoding::gzip));
  const std::string small = gzipped("{}");
  const std::string large = envelope_of(gzipped(R"({"a":")" + std::string(9999, 'x') + "\"}"));
  for (int round = 0; round < 3; ++round) {
    ASSERT_FALSE(unwrapper.unwrap(large));
    EXPECT_EQ(unwrapper.json().size(), 10'007U);
    EXPECT_NE(unwrapper.envelope(), nullptr);
    EXPECT_TRUE(unwrapper.unwrap(R"({"Type":"Notification","TopicArn":"a","Message":7})"));
    EXPECT_EQ(unwrapper.field(), "Message");
    EXPECT_TRUE(unwrapper.unwrap("broken"));
    EXPECT_EQ(unwrapper.field(), "");
    ASSERT_FALSE(unwrapper.unwrap(small));
    EXPECT_EQ(unwrapper.json(), "{}");
    EXPECT_EQ(unwrapper.envelope(), nullptr);
    EXPECT_TRUE(unwrapper.unwrap(gzipped("{}").substr(4)));
  }
}

std::string some_bytes(SeededRandom& random) {
  std::string bytes(random.below(200), '\0');
  for (char& c : bytes) c = static_cast<char>(random.next());
  return bytes;
}

/// A good body of some kind.
std::string some_body(SeededRandom& random) {
  std::string body = random.chance(0.5) ? std::string(kJson) : some_bytes(random);
  if (random.chance(0.05)) body = std::string(random.below(3 << 20), ' ');
  if (random.chance(0.7)) body = compressed(body);
  if (random.chance(0.8)) body = to_base64(body);
  if (random.chance(0.5)) body = envelope_of(body, R"({"a":{"Type":"String","Value":"b"}})");
  return body;
}

std::string mutated(SeededRandom& random, std::string body) {
  for (auto left = random.below(4); left > 0 && !body.empty(); --left) {
    const std::size_t at = random.below(body.size());
    switch (random.below(4)) {
      case 0:
        body[at] = static_cast<char>(random.next());
        break;
      case 1:
        body.erase(at, 1 + random.below(9));
        break;
      case 2:
        body.insert(at, body.substr(random.below(body.size()), random.below(60)));
        break;
      default:
        body.resize(at);
    }
  }
  return body;
}

TEST(Unwrap, whatever_comes_is_unwrapped_or_refused_within_its_bound) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  std::vector<std::unique_ptr<Unwrapper>> unwrappers;
  for (const Encoding encoding : {Encoding::none, Encoding::base64, Encoding::gzip}) {
    for (const bool sns : {false, true}) {
      unwrappers.push_back(std::make_unique<Unwrapper>(wrapped(sns, encoding)));
    }
  }
  int fine = 0;
  Body decoded;
  for (int round = 0; round < 1000; ++round) {
    const std::string body = mutated(random, some_body(random));
    for (const auto& unwrapper : unwrappers) {
      if (unwrapper->unwrap(body)) continue;
      EXPECT_LE(unwrapper->json().size(), std::max(Body::kMostBytes + 1, body.size()));
      if (unwrapper->envelope() != nullptr) {
        (void)unwrapper->envelope()->attribute("a");
      }
      fine += decoded.decode(unwrapper->json()) ? 0 : 1;
    }
  }
  EXPECT_GT(fine, 100);
}

}  // namespace
}  // namespace sluice
