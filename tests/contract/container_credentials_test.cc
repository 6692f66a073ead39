// SPDX-License-Identifier: Apache-2.0
#include "job/aws/container_credentials.h"

#include <gtest/gtest.h>

#include "job/base/failure.h"
#include "tests/support/aws_files.h"
#include "tests/support/sandbox_metadata.h"

namespace sluice {
namespace {

constexpr const char* kFull = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
constexpr const char* kRelative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";

class ContainerCredentials : public ::testing::Test {
 protected:
  ContainerCredentials() {
    set(kFull, host_.container_url());
    set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Bearer a-token-nobody-tells");
    host_.set_authorization("Bearer a-token-nobody-tells");
  }
  void set(const std::string& name, const std::string& value) { files_.variables[name] = value; }
  std::optional<Credentials> find() {
    return credentials_in_container(files_.environment(), "", {});
  }
  Failure refusal() {
    try {
      find();
    } catch (const Failure& failure) {
      const std::string told = failure.message() + failure.hint();
      EXPECT_EQ(told.find("nobody-tells"), std::string::npos) << told;
      EXPECT_EQ(told.find("id=7"), std::string::npos) << told;
      return failure;
    }
    return {Fault::bug, "accepted", ""};
  }
  std::string place() { return "container endpoint " + host_.endpoint(); }

  AwsFiles files_;
  SandboxMetadata host_;
};

TEST_F(ContainerCredentials, they_are_given_for_the_token) {
  const auto found = find();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->access_key, "ASIAHOST1");
  EXPECT_EQ(found->session_token.reveal(), "token/+=&<of>ASIAHOST1");
  EXPECT_TRUE(found->expires_ms);
  EXPECT_EQ(found->origin, place());
  set(kFull, "");
  EXPECT_FALSE(find());
}

TEST_F(ContainerCredentials, the_token_in_a_file_goes_first_and_is_read_each_time) {
  const std::string path = files_.file("token", "one");
  set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path);
  host_.set_authorization("one");
  EXPECT_TRUE(find());
  files_.file("token", "two");
  host_.set_authorization("two");
  EXPECT_TRUE(find());
  files_.file("token", "three\n");
  EXPECT_EQ(
      refusal().message(),
      "credentials: AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: the token has a line break in it");
  set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path + ".gone");
  EXPECT_EQ(refusal().fault(), Fault::rights);
  set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "");
  set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\r\nX-Evil: 1");
  EXPECT_EQ(refusal().fault(), Fault::rights);
}

TEST_F(ContainerCredentials, a_relative_address_is_that_of_ecs_and_goes_first) {
  const auto endpoint = [&] { return container_endpoint(files_.environment()); };
  EXPECT_EQ(endpoint()->origin(), host_.endpoint());
  set(kRelative, "/v2/credentials/uuid?a=b");
  EXPECT_EQ(endpoint()->origin(), "http://169.254.170.2");
  EXPECT_EQ(endpoint()->path, "/v2/credentials/uuid");
  EXPECT_EQ(endpoint()->query, "a=b");
  for (const char* path : {"@example.com/", ".example.com/", "v2", "/a b", "/a#b"}) {
    set(kRelative, path);
    EXPECT_THROW(endpoint(), Failure) << path;
  }
}

TEST_F(ContainerCredentials, only_https_loopback_and_the_addresses_of_aws_get_the_token) {
  for (const char* url :
       {"https://example.com/x", "http://localhost/x", "http://127.0.0.2:9/x", "http://[::1]/x",
        "http://169.254.170.2/x", "http://169.254.170.23/v1/credentials",
        "http://[fd00:ec2::23]/v1/credentials"}) {
    set(kFull, url);
    EXPECT_TRUE(container_endpoint(files_.environment())) << url;
  }
  for (const char* url :
       {"http://example.com/x", "http://127.0.0.1.example.com/x", "http://localhost.example.com",
        "http://169.254.169.254/x", "http://169.254.170.2.example.com/", "http://[::2]/",
        "http://169.254.170.2@example.com/", "ftp://127.0.0.1/", "127.0.0.1"}) {
    set(kFull, url);
    EXPECT_EQ(refusal().fault(), Fault::rights) << url;
  }
}

TEST_F(ContainerCredentials, a_refusal_is_told_at_once_with_its_reason) {
  host_.set_authorization("another");
  EXPECT_EQ(refusal().fault(), Fault::rights);
  EXPECT_EQ(refusal().message(), "credentials: " + place() + ": status 401");
  EXPECT_EQ(host_.calls().at("refused"), 2);
  host_.set_authorization("Bearer a-token-nobody-tells");
  host_.faults().add(
      {.on = "container",
       .most = 1,
       .fault = {.status = 400, .html = R"({"code":"NoRole","message":"no role for this pod"})"}});
  EXPECT_EQ(refusal().message(), "credentials: " + place() + ": NoRole: no role for this pod");
  host_.faults().add(
      {.on = "container",
       .most = 1,
       .fault = {.status = 400,
                 .html = R"({"code":"Bad","message":"Bearer a-token-nobody-tells is bad"})"}});
  EXPECT_EQ(refusal().message(), "credentials: " + place() + ": Bad");
}

TEST_F(ContainerCredentials, a_fault_that_may_pass_is_tried_three_times) {
  host_.faults().add({.on = "container", .most = 1, .fault = {.status = 500}});
  host_.faults().add({.on = "container", .most = 1, .fault = {.html = "<html>garbage</html>"}});
  EXPECT_TRUE(find());
  EXPECT_EQ(host_.calls().at("container"), 3);
  host_.faults().add({.on = "container", .fault = {.status = 503}});
  EXPECT_EQ(refusal().fault(), Fault::temporary);
  EXPECT_EQ(host_.calls().at("container"), 6);
}

TEST_F(ContainerCredentials, one_that_is_not_there_is_a_fault_because_it_was_named) {
  set(kFull, "http://127.0.0.1:1/x");
  const Failure failure = refusal();
  EXPECT_EQ(failure.fault(), Fault::temporary);
  EXPECT_NE(failure.message().find("after 3 attempts"), std::string::npos) << failure.message();
}

}  // namespace
}  // namespace sluice
