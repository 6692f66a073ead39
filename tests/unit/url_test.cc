// SPDX-License-Identifier: Apache-2.0
#include "job/http/url.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Url, its_parts_are_as_they_are_sent) {
  const auto url = parse_url("HTTP://Example.COM:80/V2/credentials?id=7&x=/y");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->origin(), "http://example.com");
  EXPECT_EQ(url->path, "/V2/credentials");
  EXPECT_EQ(url->query, "id=7&x=/y");
  EXPECT_EQ(parse_url("https://a?b=c")->path, "/");
  EXPECT_EQ(parse_url("https://a?b=c")->query, "b=c");
  EXPECT_EQ(parse_url("https://a")->path, "/");
  EXPECT_EQ(parse_url("https://[::1]:443/x")->host, "[::1]");
}

TEST(Url, what_could_lead_elsewhere_is_refused) {
  for (const char* text : {"",
                           "a",
                           "ftp://a",
                           "http://",
                           "http:///x",
                           "https://:443",
                           "http://user@a",
                           "http://a#b",
                           "http://a/#b",
                           "http://a b",
                           "http://a/\r\nHost: b",
                           "http://a\\b",
                           "http://a:80:80",
                           "http://a:",
                           "http://a:x",
                           "http://a:65536",
                           "http://[::1",
                           "http://[::1]x",
                           "http://[]",
                           "http://a]"}) {
    EXPECT_FALSE(parse_url(text)) << text;
  }
}

TEST(Url, loopback_and_link_local_are_addresses_and_no_prefixes_of_names) {
  for (const char* host : {"localhost:1", "127.0.0.1", "127.9.9.9:80", "[::1]:9"}) {
    EXPECT_TRUE(is_loopback(bare_host(host))) << host;
  }
  for (const char* host : {"localhost.example.com", "127.example.com", "127.0.0.1.example.com",
                           "[::2]", "128.0.0.1", "169.254.170.2"}) {
    EXPECT_FALSE(is_loopback(bare_host(host))) << host;
  }
  EXPECT_TRUE(is_link_local("169.254.169.254"));
  EXPECT_FALSE(is_link_local("169.254.example.com"));
  EXPECT_FALSE(is_link_local("169.253.0.1"));
}

}  // namespace
}  // namespace sluice
