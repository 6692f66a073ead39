// SPDX-License-Identifier: Apache-2.0
#include "job/aws/imds.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "job/aws/endpoint.h"
#include "job/base/clock.h"
#include "job/base/failure.h"
#include "tests/support/aws_files.h"
#include "tests/support/sandbox_metadata.h"

namespace sluice {
namespace {

class InstanceMetadata : public ::testing::Test {
 protected:
  InstanceMetadata() {
    set("AWS_EC2_METADATA_DISABLED", "");
    set("AWS_EC2_METADATA_SERVICE_ENDPOINT", host_.endpoint());
  }
  void set(const std::string& name, const std::string& value) { files_.variables[name] = value; }
  Imds imds(std::stop_token stop = {}) {
    const Environment environment = files_.environment();
    return {environment, Profile("", environment), std::move(stop)};
  }
  Failure refusal() {
    try {
      imds().credentials();
    } catch (const Failure& failure) {
      EXPECT_EQ((failure.message() + failure.hint()).find("secret"), std::string::npos);
      EXPECT_EQ((failure.message() + failure.hint()).find("AQAEA"), std::string::npos);
      return failure;
    }
    return {Fault::bug, "accepted", ""};
  }

  AwsFiles files_;
  SandboxMetadata host_;
};

TEST_F(InstanceMetadata, a_session_token_then_the_role_then_its_credentials) {
  const auto found = imds().credentials();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->access_key, "ASIAHOST1");
  EXPECT_EQ(found->secret.reveal(), "secret/+&<of>ASIAHOST1");
  EXPECT_EQ(found->session_token.reveal(), "token/+=&<of>ASIAHOST1");
  EXPECT_GT(found->expires_ms.value_or(0), now().wall_ms);
  EXPECT_EQ(found->origin, "instance metadata, role loader");
  EXPECT_EQ(host_.calls(),
            (std::map<std::string, int>{{"token", 1}, {"role", 1}, {"credentials", 1}}));
}

TEST_F(InstanceMetadata, no_proxy_stands_between) {
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  EXPECT_TRUE(imds().credentials());
  ::unsetenv("http_proxy");
}

TEST_F(InstanceMetadata, a_host_that_does_not_answer_or_has_no_role_has_no_credentials) {
  set("AWS_EC2_METADATA_DISABLED", "TRUE");
  EXPECT_FALSE(imds().credentials());
  EXPECT_TRUE(host_.calls().empty());
  set("AWS_EC2_METADATA_DISABLED", "false");
  host_.set_role("");
  EXPECT_FALSE(imds().credentials());
  set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1");
  EXPECT_FALSE(imds().credentials());
  EXPECT_FALSE(imds().region());
}

TEST_F(InstanceMetadata, the_first_version_is_never_used) {
  for (const int status : {400, 403, 404, 405}) {
    host_.faults().add({.on = "token", .most = 1, .fault = {.status = status}});
    EXPECT_FALSE(imds().credentials());
  }
  EXPECT_EQ(host_.calls(), (std::map<std::string, int>{{"token", 4}}));
}

TEST_F(InstanceMetadata, one_that_hangs_is_as_if_it_were_not_there) {
  auto gate = std::make_shared<SandboxGate>();
  host_.faults().add({.on = "token", .fault = {.gate = gate}});
  EXPECT_FALSE(imds().credentials());  // after AWS_METADATA_SERVICE_TIMEOUT, a second
  EXPECT_EQ(host_.calls().at("token"), 1);
}

TEST_F(InstanceMetadata, a_stop_ends_the_wait) {
  auto gate = std::make_shared<SandboxGate>();
  host_.faults().add({.on = "token", .fault = {.gate = gate}});
  set("AWS_METADATA_SERVICE_TIMEOUT", "3600");
  std::stop_source stop;
  std::thread stopper([&] {
    gate->wait_for_call();
    stop.request_stop();
  });
  EXPECT_THROW(imds(stop.get_token()).credentials(), Failure);
  stopper.join();
}

TEST_F(InstanceMetadata, one_that_fails_is_a_passing_fault_after_as_many_attempts_as_wished) {
  for (const char* on : {"token", "role", "credentials"}) {
    host_.faults().add({.on = on, .most = 1, .fault = {.status = 500}});
    EXPECT_EQ(refusal().fault(), Fault::temporary) << on;
    host_.faults().clear();
  }
  // More than once: libcurl itself repeats a request on a kept connection that was just closed.
  host_.faults().add({.on = "credentials", .fault = {.drop_before = true}});
  EXPECT_EQ(refusal().fault(), Fault::temporary);
  host_.faults().clear();
  set("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "2");
  for (const char* on : {"token", "role", "credentials"}) {
    host_.faults().add({.on = on, .most = 1, .fault = {.status = 500}});
    host_.faults().add({.on = on, .calls = {1}, .fault = {.drop_before = true}});
  }
  EXPECT_TRUE(imds().credentials());
}

TEST_F(InstanceMetadata, success_with_an_error_in_it_is_a_refusal) {
  host_.set_refusal("AssumeRoleUnauthorizedAccess", "EC2 cannot assume the role loader");
  EXPECT_EQ(refusal().fault(), Fault::rights);
  EXPECT_EQ(refusal().message(),
            "credentials: instance metadata, role loader: AssumeRoleUnauthorizedAccess: "
            "EC2 cannot assume the role loader");
}

TEST_F(InstanceMetadata, other_answers_are_not_believed) {
  const auto told = [&](const char* on, const std::string& body) {
    host_.faults().add({.on = on, .most = 1, .fault = {.html = body}});
    const Failure failure = refusal();
    host_.faults().clear();
    EXPECT_EQ(failure.fault(), Fault::temporary);
    return failure.message().substr(failure.message().rfind(" for ") + 5);
  };
  EXPECT_EQ(told("role", "../../dynamic"), "the name of the role: not a name");
  EXPECT_EQ(told("credentials", "<html>secret</html>"),
            "credentials of role loader: no JSON object");
  EXPECT_EQ(told("credentials", R"({"AccessKeyId":"secret"})"),
            "credentials of role loader: no SecretAccessKey");
  EXPECT_EQ(told("credentials", std::string(100'000, 'x')),
            "credentials of role loader: the answer is larger than 64KiB");
  host_.faults().add({.on = "token", .most = 1, .fault = {.html = "two\nlines"}});
  EXPECT_FALSE(imds().credentials());
}

TEST_F(InstanceMetadata, the_endpoint_is_that_of_the_settings) {
  files_.config("[default]\nec2_metadata_service_endpoint = " + host_.endpoint() + "/\n");
  set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "");
  EXPECT_TRUE(imds().credentials());
  set("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6");
  EXPECT_TRUE(imds().credentials());
}

TEST_F(InstanceMetadata, settings_that_make_no_sense_are_refused) {
  for (const auto& [name, value] : std::map<std::string, std::string>{
           {"AWS_METADATA_SERVICE_TIMEOUT", "0"},
           {"AWS_METADATA_SERVICE_NUM_ATTEMPTS", "many"},
           {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv5"},
           {"AWS_EC2_METADATA_SERVICE_ENDPOINT", "169.254.169.254"}}) {
    AwsFiles files;
    files.variables[name] = value;
    const Environment environment = files.environment();
    try {
      const Imds imds(environment, Profile("", environment));
      FAIL() << name;
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.fault(), Fault::usage);
      EXPECT_TRUE(failure.message().starts_with(name)) << failure.message();
    }
  }
}

TEST_F(InstanceMetadata, the_region_of_the_host_is_taken_when_nothing_else_names_one) {
  const Environment environment = files_.environment();
  const auto find = [&](const EndpointWishes& wishes) {
    return find_endpoint(wishes, environment, Profile("", environment));
  };
  EXPECT_EQ(find({}).region, "eu-north-1");
  EXPECT_EQ(find({}).region_origin, "instance metadata");
  const int asked = host_.calls().at("region");
  EXPECT_EQ(find({"", "us-east-1", ""}).region, "us-east-1");
  set("AWS_REGION", "us-east-2");
  EXPECT_EQ(find({}).region, "us-east-2");
  EXPECT_EQ(host_.calls().at("region"), asked);
}

}  // namespace
}  // namespace sluice
