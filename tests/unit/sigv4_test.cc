// SPDX-License-Identifier: Apache-2.0
#include "job/aws/sigv4.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sluice {
namespace {

constexpr std::int64_t kSuiteTime = 1'440'938'160'000;  // 2015-08-30T12:36:00Z

Credentials suite_credentials(const std::string& token = "") {
  return {"AKIDEXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), Secret(token), "test"};
}

std::string value_of(const HttpRequest& request, const std::string& name) {
  for (const Header& header : request.headers) {
    if (header.name == name) return header.value;
  }
  return "";
}

std::string signature_of(const HttpRequest& request) {
  const std::string authorization = value_of(request, "Authorization");
  return authorization.substr(authorization.find("Signature=") + 10);
}

struct Vector {
  const char* name;
  const char* method;
  const char* path;
  const char* query;
  std::vector<Header> headers;
  const char* body;
  const char* signature;
};

const Header host = {"Host", "example.amazonaws.com"};
constexpr const char* kUnreservedPair =
    "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz="
    "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// Cases of AWS's signature test suite, by their names there.
const std::vector<Vector> suite = {
    {"get-vanilla",
     "GET",
     "/",
     "",
     {host},
     "",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"post-vanilla",
     "POST",
     "/",
     "",
     {host},
     "",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"get-vanilla-empty-query-key",
     "GET",
     "/",
     "Param1=value1",
     {host},
     "",
     "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
    {"get-vanilla-query-order-key-case",
     "GET",
     "/",
     "Param2=value2&Param1=value1",
     {host},
     "",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"get-vanilla-query-order-value",
     "GET",
     "/",
     "Param1=value2&Param1=value1",
     {host},
     "",
     "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"},
    {"get-vanilla-query-unreserved",
     "GET",
     "/",
     kUnreservedPair,
     {host},
     "",
     "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
    {"get-vanilla-utf8-query",
     "GET",
     "/",
     "\u1234=bar",
     {host},
     "",
     "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
    {"get-relative",
     "GET",
     "/example/..",
     "",
     {host},
     "",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-slash-dot-slash",
     "GET",
     "/./",
     "",
     {host},
     "",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-slashes",
     "GET",
     "//example//",
     "",
     {host},
     "",
     "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
    {"get-space",
     "GET",
     "/example space/",
     "",
     {host},
     "",
     "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
    {"get-utf8",
     "GET",
     "/\u1234",
     "",
     {host},
     "",
     "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {"get-header-value-trim",
     "GET",
     "/",
     "",
     {host, {"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
     "",
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    {"get-header-key-duplicate",
     "GET",
     "/",
     "",
     {host, {"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
     "",
     "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
    {"post-header-key-sort",
     "POST",
     "/",
     "",
     {host, {"My-Header1", "value1"}},
     "",
     "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
    {"post-x-www-form-urlencoded",
     "POST",
     "/",
     "",
     {{"Content-Type", "application/x-www-form-urlencoded"}, host},
     "Param1=value1",
     "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
};

TEST(SigV4, signs_as_the_test_suite_of_aws_says) {
  Signer signer(suite_credentials(), "us-east-1", "service");
  for (const Vector& vector : suite) {
    HttpRequest request{.method = vector.method,
                        .origin = "https://example.amazonaws.com",
                        .path = vector.path,
                        .query = vector.query,
                        .headers = vector.headers,
                        .body = vector.body};
    signer.sign(request, kSuiteTime);
    EXPECT_EQ(signature_of(request), vector.signature) << vector.name;
    EXPECT_EQ(value_of(request, "X-Amz-Date"), "20150830T123600Z") << vector.name;
  }
}

HttpRequest receive() {
  return {.origin = "https://sqs.eu-west-1.amazonaws.com",
          .headers = {{"Host", "sqs.eu-west-1.amazonaws.com"},
                      {"Content-Type", "application/x-amz-json-1.0"},
                      {"X-Amz-Target", "AmazonSQS.ReceiveMessage"}},
          .body = R"({"QueueUrl":"https://sqs.eu-west-1.amazonaws.com/000000000000/login-queue",)"
                  R"("MaxNumberOfMessages":10})"};
}

TEST(SigV4, signs_a_receive_as_botocore_does) {
  Signer signer(suite_credentials(), "eu-west-1", "sqs");
  HttpRequest request = receive();
  signer.sign(request, kSuiteTime);
  EXPECT_EQ(value_of(request, "Authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-west-1/sqs/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
            "Signature=251f82031cc43f30609223b0c341a005dfe392244b5414b5199f5a832fed5392");
}

TEST(SigV4, a_session_token_is_sent_and_signed) {
  Signer signer(suite_credentials("token/with+signs=="), "eu-west-1", "sqs");
  HttpRequest request = receive();
  signer.sign(request, kSuiteTime);
  EXPECT_EQ(value_of(request, "X-Amz-Security-Token"), "token/with+signs==");
  EXPECT_EQ(signature_of(request),
            "7bc6700c7cc8158616d59cf54fc860c9df2991f3989f92e177e340fc00992f20");
}

TEST(SigV4, the_cached_key_is_made_anew_when_the_day_changes) {
  Signer signer(suite_credentials(), "us-east-1", "service");
  std::vector<std::string> signatures;
  for (const std::int64_t day : {0, 1, 0}) {
    HttpRequest request{.method = "GET", .headers = {host}};
    signer.sign(request, kSuiteTime + day * 86'400'000);
    signatures.push_back(signature_of(request));
  }
  EXPECT_EQ(signatures[0], suite[0].signature);
  EXPECT_EQ(signatures[1], "8ee981eae6d3816099c3fb309bb535f5b04e5aa038249a65e93d0605bae99986");
  EXPECT_EQ(signatures[2], signatures[0]);
}

TEST(SigV4, headers_that_may_change_on_the_way_are_not_signed) {
  Signer signer(suite_credentials(), "us-east-1", "service");
  HttpRequest request{.method = "GET",
                      .headers = {host,
                                  {"User-Agent", "sluice/1"},
                                  {"Expect", "100-continue"},
                                  {"Connection", "keep-alive"}}};
  signer.sign(request, kSuiteTime);
  EXPECT_EQ(signature_of(request), suite[0].signature);
}

}  // namespace
}  // namespace sluice
