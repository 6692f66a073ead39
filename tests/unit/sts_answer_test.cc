// SPDX-License-Identifier: Apache-2.0
#include "job/aws/sts_answer.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

std::string answer(const std::string& credentials) {
  return "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n"
         "<AssumeRoleResult><SourceIdentity>x</SourceIdentity><Credentials>" +
         credentials + "</Credentials></AssumeRoleResult></AssumeRoleResponse>";
}

constexpr const char* kKeys =
    "<AccessKeyId>ASIA1</AccessKeyId>\n<SecretAccessKey>a/b+&lt;&amp;gt;</SecretAccessKey>"
    "<SessionToken> t== </SessionToken>";
constexpr const char* kExpiration = "<Expiration>2026-11-20T10:07:00Z</Expiration>";

TEST(StsAnswer, four_elements_are_the_credentials) {
  const auto found = parse_sts_credentials(answer(std::string(kKeys) + kExpiration));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->access_key, "ASIA1");
  EXPECT_EQ(found->secret.reveal(), "a/b+<&gt;");
  EXPECT_EQ(found->session_token.reveal(), "t==");
  EXPECT_EQ(found->expires_ms, 1'795'169'220'000);
}

TEST(StsAnswer, one_that_is_missing_doubled_nested_or_cut_makes_it_none) {
  EXPECT_FALSE(parse_sts_credentials(""));
  EXPECT_FALSE(parse_sts_credentials("<html>hello</html>"));
  EXPECT_FALSE(parse_sts_credentials(std::string(kKeys) + kExpiration));
  EXPECT_FALSE(parse_sts_credentials(answer(kKeys)));
  EXPECT_FALSE(parse_sts_credentials(answer(kExpiration)));
  EXPECT_FALSE(parse_sts_credentials(answer(std::string(kKeys) + kKeys + kExpiration)));
  EXPECT_FALSE(parse_sts_credentials(answer(std::string(kKeys) + "<Expiration>soon</Expiration>")));
  EXPECT_FALSE(parse_sts_credentials(
      answer(std::string("<AccessKeyId><b>A</b></AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
                         "<SessionToken>t</SessionToken>") +
             kExpiration)));
  const std::string whole = answer(std::string(kKeys) + kExpiration);
  const std::size_t enough = whole.find("</Credentials>") + std::string("</Credentials>").size();
  for (std::size_t length = 0; length < enough; ++length) {
    EXPECT_FALSE(parse_sts_credentials(whole.substr(0, length))) << length;
  }
}

TEST(StsAnswer, an_error_has_a_code_and_a_message_or_nothing) {
  const StsError error = parse_sts_error(
      "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
      "<Message>User &quot;x&quot; may not</Message></Error></ErrorResponse>");
  EXPECT_EQ(error.code, "AccessDenied");
  EXPECT_EQ(error.message, "User \"x\" may not");
  EXPECT_EQ(parse_sts_error("<html>503</html>").code, "");
}

}  // namespace
}  // namespace sluice
