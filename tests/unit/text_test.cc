// SPDX-License-Identifier: Apache-2.0
#include "job/base/text.h"

#include <array>

#include <gtest/gtest.h>

#include "job/base/clock.h"
#include "job/base/encoding.h"

namespace sluice {
namespace {

TEST(Text, durations_and_sizes_are_read_with_their_unit) {
  EXPECT_EQ(parse_duration_ms("500ms"), 500);
  EXPECT_EQ(parse_duration_ms("50m"), 3'000'000);
  EXPECT_EQ(parse_duration_ms("15d"), 15LL * 86'400'000);
  EXPECT_EQ(parse_bytes("64MiB"), 64 << 20);
  EXPECT_EQ(parse_bytes("1000"), 1000);
  for (const char* wrong :
       {"", "5", "5 s", "s", "-3s", "1e3s", "99999999999999999999d", "9223372036854775807d"}) {
    EXPECT_FALSE(parse_duration_ms(wrong).has_value()) << wrong;
  }
  for (const char* wrong : {"", "1MB", "MiB", "-1", "1.5MiB"}) {
    EXPECT_FALSE(parse_bytes(wrong).has_value()) << wrong;
  }
}

TEST(Text, what_is_formatted_is_read_back) {
  for (const std::int64_t ms : {1LL, 500LL, 1000LL, 90'000LL, 3'600'000LL, 86'400'000LL}) {
    EXPECT_EQ(parse_duration_ms(format_duration(ms)), ms);
  }
  for (const std::int64_t bytes : {1LL, 1024LL, 64LL << 20, 3LL << 30}) {
    EXPECT_EQ(parse_bytes(format_bytes(bytes)), bytes);
  }
}

TEST(Text, a_near_word_is_suggested_and_a_far_one_is_not) {
  constexpr std::array<std::string_view, 3> kWords = {"run", "check", "migrate"};
  EXPECT_EQ(nearest("rnu", kWords), "run");
  EXPECT_EQ(nearest("migrat", kWords), "migrate");
  EXPECT_FALSE(nearest("zzzzzz", kWords).has_value());
}

TEST(Encoding, hex_is_two_digits_a_byte) {
  std::string all;
  std::string digits = "before";
  for (int byte = 0; byte < 256; ++byte) {
    char pair[3];
    std::snprintf(pair, sizeof pair, "%02x", byte);
    digits += pair;
    all.push_back(static_cast<char>(byte));
  }
  std::string out = "before";
  append_hex(out, all);
  EXPECT_EQ(out, digits);
  EXPECT_EQ(to_hex(""), "");
}

TEST(Encoding, base64_is_strict) {
  EXPECT_EQ(to_base64("any carnal pleas"), "YW55IGNhcm5hbCBwbGVhcw==");
  EXPECT_EQ(from_base64("YW55IGNhcm5hbCBwbGVhcw=="), "any carnal pleas");
  EXPECT_EQ(from_base64(""), "");
  for (const char* wrong : {"YQ", "YQ=", "YR==", "YQ==\n", "Y Q=", "====", "YQ==YQ=="}) {
    EXPECT_FALSE(from_base64(wrong).has_value()) << wrong;
  }
}

TEST(Clock, writes_utc_with_milliseconds) {
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(rfc3339(951'782'400'123), "2000-02-29T00:00:00.123Z");
}

}  // namespace
}  // namespace sluice
