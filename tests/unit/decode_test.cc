// SPDX-License-Identifier: Apache-2.0
#include "job/record/decode.h"

#include <random>
#include <set>

#include <gtest/gtest.h>

#include "tests/support/seeded_random.h"

namespace sluice {
namespace {

/// The reason, or "fine".
std::string verdict(std::string_view json) {
  Body body;
  const auto fault = body.decode(json);
  return fault ? std::string(to_text(fault->reason)) : "fine";
}

std::string nested(std::size_t depth) {
  return "{\"a\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
}

std::string text_at(const Body& body, std::vector<std::string> path) {
  const auto at = body.find(path);
  return at ? std::string(body.text(*at)) : "nothing";
}

TEST(Decode, an_object_is_fine_with_white_space_around_it) {
  EXPECT_EQ(verdict("{}"), "fine");
  EXPECT_EQ(verdict(" \t\r\n{ \"a\" : [ 1 , null , true ] } \n"), "fine");
}

TEST(Decode, what_is_not_json_is_refused_as_such) {
  for (const std::string_view json : {"",
                                      " ",
                                      "{",
                                      "}",
                                      "{} {}",
                                      "{}x",
                                      "\xef\xbb\xbf{}",
                                      "{\"a\":NaN}",
                                      "{\"a\":012}",
                                      "{\"a\":+1}",
                                      "{\"a\":1.}",
                                      "{\"a\":.5}",
                                      "{\"a\":0x1}",
                                      "{'a':1}",
                                      "{\"a\":1,}",
                                      "{\"a\":1 /*c*/}",
                                      "{\"a\":\"\\x41\"}",
                                      "{\"a\":\"\\u12\"}",
                                      "{\"a\":\"tab\there\"}",
                                      "{\"a\":tru}",
                                      "s3:TestEvent"}) {
    EXPECT_EQ(verdict(json), "not-json") << json;
  }
  EXPECT_EQ(verdict(std::string_view("{\"a\":\"\0\"}", 9)), "not-json");
  EXPECT_EQ(verdict(std::string_view("{}\0", 3)), "not-json");
}

TEST(Decode, json_that_is_no_object_is_refused) {
  for (const std::string_view json : {"null", "[]", "7", "\"text\"", "true", "[{\"a\":1}]"}) {
    EXPECT_EQ(verdict(json), "not-an-object") << json;
  }
}

TEST(Decode, what_is_not_unicode_is_refused) {
  EXPECT_EQ(verdict("{\"a\":\"\xff\"}"), "bad-encoding");
  EXPECT_EQ(verdict("{\"a\":\"\xc0\xaf\"}"), "bad-encoding");
  EXPECT_EQ(verdict("{\"a\":\"\xed\xa0\x80\"}"), "bad-encoding");
  EXPECT_EQ(verdict("{\"a\":\"\\udc00\"}"), "bad-encoding");
  for (const char* lone : {R"({"a":"\ud800"})", R"({"a":"\udc00x"})", R"({"\ud83d\ud83d":1})"}) {
    EXPECT_EQ(verdict(lone), "bad-encoding") << lone;
  }
  // What else is wrong with the body is told first.
  EXPECT_EQ(verdict(R"({"a":1,"a":"\ud800"})"), "duplicate-key");
  EXPECT_EQ(verdict(R"({"a":"\ud800")"), "not-json");
  EXPECT_EQ(verdict("{\"a\":\"\\ud83d\\ude00\"}"), "fine");
}

TEST(Decode, a_key_that_stands_twice_is_refused_at_any_level) {
  for (const std::string_view json :
       {R"({"a":1,"a":1})", R"({"ip":1,"b":2,"\u0069p":3})", R"({"x":{"a":1,"a":2}})",
        R"({"x":[1,{"y":{"":0,"":0}}]})", R"({"\ud83d\ude00":1,"😀":2})", R"({"a\/b":1,"a/b":2})"}) {
    EXPECT_EQ(verdict(json), "duplicate-key") << json;
  }
  EXPECT_EQ(verdict(R"({"a":{"a":1},"b":{"a":1},"A":1})"), "fine");
}

TEST(Decode, a_key_that_stands_twice_among_thousands_is_found) {
  std::string json = "{";
  for (int i = 0; i < 5000; ++i) json += "\"k" + std::to_string(i) + "\":0,";
  EXPECT_EQ(verdict(json + "\"k5000\":0}"), "fine");
  EXPECT_EQ(verdict(json + "\"k17\":0}"), "duplicate-key");
}

TEST(Decode, depth_ends_at_32) {
  EXPECT_EQ(verdict(nested(32)), "fine");
  EXPECT_EQ(verdict(nested(33)), "too-large");
  EXPECT_EQ(verdict(std::string(5000, '[')), "too-large");
  EXPECT_EQ(verdict(std::string(1 << 20, '{')), "not-json");
}

TEST(Decode, size_ends_at_one_mebibyte) {
  const std::string body = "{\"a\":\"" + std::string(Body::kMostBytes - 8, 'x') + "\"}";
  Body decoded;
  ASSERT_EQ(body.size(), Body::kMostBytes);
  ASSERT_FALSE(decoded.decode(body));
  EXPECT_EQ(text_at(decoded, {"a"}).size(), Body::kMostBytes - 8);
  EXPECT_EQ(verdict(body + " "), "too-large");
}

TEST(Decode, the_mebibyte_is_one_of_bytes_whatever_the_characters) {
  for (const std::string_view character : {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    std::string text;
    while (text.size() + character.size() <= Body::kMostBytes - 8) text += character;
    std::string body = "{\"a\":\"" + text + "\"}";
    body.resize(Body::kMostBytes, ' ');
    Body decoded;
    ASSERT_FALSE(decoded.decode(body));
    EXPECT_EQ(text_at(decoded, {"a"}), text);
    EXPECT_EQ(verdict(body + " "), "too-large");
  }
}

TEST(Decode, many_small_values_of_a_mebibyte_are_held) {
  std::string json = "{\"a\":[0";
  while (json.size() < Body::kMostBytes - 4) json += ",1";
  EXPECT_EQ(verdict(json + "]}"), "fine");
}

TEST(Decode, every_digit_of_a_number_is_kept) {
  for (const std::string number :
       {"0", "-0", "9007199254740993", "18446744073709551616", "-9223372036854775809", "1e400",
        "0.10000000000000000000000000001", "1E+2", "-1.50e-7", "1e2147483647"}) {
    Body body;
    ASSERT_FALSE(body.decode("{\"n\":" + number + "}")) << number;
    EXPECT_EQ(text_at(body, {"n"}), number);
  }
  EXPECT_EQ(verdict("{\"n\":1e99999999999}"), "out-of-range");
}

TEST(Decode, strings_are_unescaped_however_long_they_are) {
  Body body;
  std::string escaped;
  std::string plain;
  for (int i = 0; i < 20'000; ++i) {
    escaped += R"(\u00e9\n\"x)";
    plain += "\xc3\xa9\n\"x";
  }
  ASSERT_FALSE(body.decode(R"({"a":")" + escaped + R"(","b\u0000":"\u0000"})"));
  EXPECT_EQ(text_at(body, {"a"}), plain);
  EXPECT_EQ(text_at(body, {std::string("b\0", 2)}), std::string(1, '\0'));
}

TEST(Decode, a_path_leads_through_objects_and_arrays) {
  Body body;
  ASSERT_FALSE(body.decode(R"({"user":{"ips":["a",["b","c"],"d"],"":"empty","0":"zero"},"z":1})"));
  EXPECT_EQ(text_at(body, {"user", "ips", "0"}), "a");
  EXPECT_EQ(text_at(body, {"user", "ips", "1", "1"}), "c");
  EXPECT_EQ(text_at(body, {"user", "ips", "2"}), "d");
  EXPECT_EQ(text_at(body, {"user", ""}), "empty");
  EXPECT_EQ(text_at(body, {"user", "0"}), "zero");
  EXPECT_EQ(text_at(body, {"z"}), "1");
  for (const std::vector<std::string>& path :
       std::vector<std::vector<std::string>>{{"user", "ips", "3"},
                                             {"user", "ips", "00"},
                                             {"user", "ips", "-1"},
                                             {"user", "ips", "0", "0"},
                                             {"User"},
                                             {"z", "0"}}) {
    EXPECT_EQ(text_at(body, path), "nothing");
  }
}

TEST(Decode, nothing_of_an_earlier_body_shows_in_a_later_one) {
  Body body;
  ASSERT_FALSE(body.decode(R"({"a":"first","b":{"c":[1,2,3]}})"));
  ASSERT_TRUE(body.decode(R"({"b":"broken)"));
  ASSERT_TRUE(body.decode(R"({"d":[[1,{"e":1,"e":2}]]})"));
  ASSERT_FALSE(body.decode(R"({"a":2})"));
  EXPECT_EQ(text_at(body, {"a"}), "2");
  EXPECT_EQ(text_at(body, {"b"}), "nothing");
}

TEST(Decode, damaged_bodies_are_refused_or_read_and_never_crash) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  const std::string whole =
      R"({"user_id":"424cdd21","n":[1,-2.5e3,null,{"k":"\ud83d\ude00"}],"ip":"1.2.3.4","t":true})";
  Body body;
  std::set<std::string> seen;
  for (int round = 0; round < 20'000; ++round) {
    std::string json = whole;
    for (std::uint64_t i = 0; i <= random.below(3); ++i) {
      json[random.below(json.size())] = static_cast<char>(random.below(256));
    }
    if (random.chance(0.2)) json.resize(random.below(json.size()));
    const auto fault = body.decode(json);
    seen.insert(fault ? std::string(to_text(fault->reason)) : "fine");
  }
  EXPECT_TRUE(seen.contains("fine") && seen.contains("not-json") && seen.contains("bad-encoding"));
}

}  // namespace
}  // namespace sluice
