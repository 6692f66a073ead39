// SPDX-License-Identifier: Apache-2.0
// The search for clear values finds what it is to find, and nothing by chance.
#include "tests/support/canary.h"

#include <random>

#include <gtest/gtest.h>

#include "job/base/encoding.h"
#include "tests/support/login_messages.h"
#include "tests/support/seeded_random.h"

namespace sluice {
namespace {

TEST(CanarySearch, finds_a_mark_in_whatever_way_it_is_written_and_wherever_it_stands) {
  const CanarySearch search;
  for (const std::string value : {"198.19.7.7", "2001:db8:ca4a:1::7", "canary-593-47-5928"}) {
    std::string wide;
    for (const char c : value) wide += {'\0', c};
    std::string escaped;
    for (const char c : value) escaped += "\\u00" + to_hex({&c, 1});
    std::vector<std::string> forms = {value, wide, escaped, to_hex(value)};
    for (const char* before : {"", "x", "xy"}) {
      forms.push_back(to_base64(before + value + "z"));
      forms.push_back(to_base64url(before + value));
    }
    for (const std::string& form : forms) {
      for (std::size_t at = 0; at < 9; ++at) {
        EXPECT_NE(search.found_in(std::string(at, '1') + form), "") << form << " at " << at;
      }
      EXPECT_EQ(search.found_in(form.substr(0, 4)), "");
    }
  }
  EXPECT_NE(search.found_in("2001:DB8:CA4A::"), "");
  EXPECT_NE(search.found_in("2001%3Adb8%3Aca4a%3A"), "");
  EXPECT_NE(search.found_in(std::string("\x03\x80\0\x10\x20\x01\x0d\xb8\xca\x4a\0\0", 12)), "");
}

TEST(CanarySearch, finds_a_secret_of_any_bytes) {
  CanarySearch search;
  std::string key;
  for (char c = 0; c < 32; ++c) key += c;
  search.add("a key", key);
  EXPECT_EQ(search.found_in(key.substr(0, 31)), "");
  for (const std::string& form : {key, to_hex(key), to_base64(key), to_base64url("p" + key)}) {
    EXPECT_NE(search.found_in("before " + form + " after").find("a key"), std::string::npos);
  }
}

TEST(CanarySearch, finds_nothing_by_chance) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  const CanarySearch search;
  std::string bytes(1 << 20, '\0');
  for (char& c : bytes) c = static_cast<char>(random.next());
  for (const std::string& text : {bytes, to_hex(bytes), to_base64(bytes)}) {
    EXPECT_EQ(search.found_in(text), "");
  }
}

TEST(CanarySearch, finds_every_message_that_worlds_send) {
  const CanarySearch search;
  for (std::uint64_t number = 0; number < 10'000; ++number) {
    const LoginMessage message = login_message(7, number);
    EXPECT_NE(search.found_in(message.ip), "") << message.ip;
    EXPECT_NE(search.found_in(message.device_id), "") << message.device_id;
    // The faulty value of one that is spoilt as well.
    if (message.flaw == "bad-value" || message.flaw == "too-long") {
      EXPECT_NE(search.found_in(message.body), "") << message.body;
    }
  }
}

}  // namespace
}  // namespace sluice
