// SPDX-License-Identifier: Apache-2.0
// Roles: what STS is asked, by the whole chain of credentials.
#include <gtest/gtest.h>

#include "job/aws/credentials.h"
#include "job/base/clock.h"
#include "job/base/failure.h"
#include "tests/support/aws_files.h"
#include "tests/support/sandbox_metadata.h"
#include "tests/support/sandbox_sts.h"

namespace sluice {
namespace {

constexpr const char* kRole = "arn:aws:iam::123456789012:role/loader";
constexpr const char* kOther = "arn:aws:iam::123456789012:role/middle";
constexpr const char* kToken = "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl";

class Roles : public ::testing::Test {
 protected:
  Roles() {
    set("AWS_ENDPOINT_URL_STS", sts_.endpoint());
    set("AWS_REGION", "us-east-1");
    set("AWS_MAX_ATTEMPTS", "3");
    sts_.add_role({kRole, "AKIDEXAMPLE", "", kToken});
    keys_ = "aws_access_key_id = " + known_.access_key +
            "\naws_secret_access_key = " + known_.secret_key + "\n";
    role_ = std::string("role_arn = ") + kRole + "\n";
  }
  ~Roles() override { EXPECT_EQ(sts_.problems(), std::vector<std::string>{}); }

  void set(const std::string& name, const std::string& value) { files_.variables[name] = value; }
  void put_keys_into_environment() {
    set("AWS_ACCESS_KEY_ID", known_.access_key);
    set("AWS_SECRET_ACCESS_KEY", known_.secret_key);
  }
  Credentials find(const std::string& profile_flag = "", const std::stop_token& stop = {}) {
    const Environment environment = files_.environment();
    return find_credentials(credential_sources(Profile(profile_flag, environment), environment),
                            stop);
  }
  Failure refusal(const std::string& profile_flag = "") {
    try {
      find(profile_flag);
    } catch (const Failure& failure) {
      const std::string told = failure.message() + failure.hint();
      for (const std::string& secret : {known_.secret_key, std::string(kToken),
                                        std::string("secret/"), std::string("token/")}) {
        EXPECT_EQ(told.find(secret), std::string::npos) << told;
      }
      return failure;
    }
    return {Fault::bug, "accepted", ""};
  }
  SandboxSts::Form last_call() { return sts_.calls().back(); }

  AwsFiles files_;
  SandboxSts sts_;
  SandboxCredentials known_;
  std::string keys_;
  std::string role_;
};

TEST_F(Roles, a_role_is_assumed_with_the_keys_of_another_profile) {
  files_.config("[default]\n" + role_ + "source_profile = base\n[profile base]\n" + keys_);
  const Credentials found = find();
  EXPECT_EQ(found.access_key, "ASIAROLE1");
  EXPECT_EQ(found.secret.reveal(), "secret/+&<of>ASIAROLE1");
  EXPECT_EQ(found.session_token.reveal(), "token/+=&<of>ASIAROLE1");
  EXPECT_GT(found.expires_ms.value_or(0), now().wall_ms);
  EXPECT_EQ(found.origin, std::string("role ") + kRole +
                              " (profile default), from profile base in " +
                              files_.variables["HOME"] + "/.aws/config");
  const SandboxSts::Form asked = last_call();
  EXPECT_EQ(asked.at("Action"), "AssumeRole");
  EXPECT_TRUE(asked.at("RoleSessionName").starts_with("sluice-"));
  EXPECT_EQ(asked.count("ExternalId") + asked.count("DurationSeconds"), 0U);
}

TEST_F(Roles, external_id_session_name_and_duration_are_those_of_the_profile) {
  sts_.add_role({kOther, "AKIDEXAMPLE", "an id & more=?", ""});
  files_.config(std::string("[default]\nsource_profile = default\nrole_arn = ") + kOther + "\n" +
                keys_ +
                "external_id = an id & more=?\nrole_session_name = night@loader\n"
                "duration_seconds = 1800\n");
  EXPECT_EQ(find().access_key, "ASIAROLE1");
  EXPECT_EQ(last_call().at("ExternalId"), "an id & more=?");
  EXPECT_EQ(last_call().at("RoleSessionName"), "night@loader");
  EXPECT_EQ(last_call().at("DurationSeconds"), "1800");
}

TEST_F(Roles, the_role_of_a_profile_goes_before_its_own_keys_and_after_the_environment) {
  files_.config("[default]\n" + role_ + "source_profile = default\n" + keys_);
  EXPECT_EQ(find().access_key, "ASIAROLE1");
  set("AWS_ACCESS_KEY_ID", "AKENV");
  set("AWS_SECRET_ACCESS_KEY", "s");
  EXPECT_EQ(find().access_key, "AKENV");
}

TEST_F(Roles, a_role_can_build_on_a_role) {
  sts_.add_role({kOther, "AKIDEXAMPLE", "", ""});
  sts_.add_role({"arn:aws:iam::1:role/last", kOther, "", ""});
  files_.config(
      "[profile top]\nrole_arn = arn:aws:iam::1:role/last\nsource_profile = middle\n"
      "[profile middle]\nsource_profile = base\nrole_arn = " +
      std::string(kOther) + "\n[profile base]\n" + keys_);
  const Credentials found = find("top");
  EXPECT_EQ(found.access_key, "ASIAROLE2");
  EXPECT_TRUE(found.origin.starts_with("role arn:aws:iam::1:role/last (profile top), from role " +
                                       std::string(kOther) + " (profile middle), from profile"));
}

TEST_F(Roles,
       the_keys_for_a_role_can_come_from_the_environment_even_when_a_flag_names_the_profile) {
  files_.config("[profile night]\n" + role_ + "credential_source = Environment\n");
  put_keys_into_environment();
  const Credentials found = find("night");
  EXPECT_EQ(found.access_key, "ASIAROLE1");
  EXPECT_EQ(found.origin, std::string("role ") + kRole + " (profile night), from the environment");
}

TEST_F(Roles, the_keys_for_a_role_can_come_from_the_container_or_the_host) {
  SandboxMetadata host;
  host.keys().set_hook([&](const SandboxCredentials& made) { sts_.set_credentials(made); });
  sts_.add_role({kOther, "ASIAHOST1", "", ""});
  sts_.add_role({"arn:aws:iam::1:role/third", "ASIAHOST2", "", ""});
  set("AWS_CONTAINER_CREDENTIALS_FULL_URI", host.container_url());
  files_.config(std::string("[default]\ncredential_source = EcsContainer\nrole_arn = ") + kOther);
  EXPECT_EQ(find().access_key, "ASIAROLE1");
  set("AWS_EC2_METADATA_DISABLED", "false");
  set("AWS_EC2_METADATA_SERVICE_ENDPOINT", host.endpoint());
  files_.config(
      "[default]\ncredential_source = Ec2InstanceMetadata\nrole_arn = arn:aws:iam::1:role/third");
  EXPECT_EQ(find().access_key, "ASIAROLE2");
}

TEST_F(Roles, a_source_profile_can_have_a_process_or_a_web_identity) {
  files_.config("[default]\n" + role_ +
                "source_profile = base\n[profile base]\ncredential_process = /bin/echo "
                R"('{"Version":1,"AccessKeyId":")" +
                known_.access_key + R"(","SecretAccessKey":")" + known_.secret_key + "\"}'\n");
  EXPECT_EQ(find().access_key, "ASIAROLE1");
  sts_.add_role({kOther, "ASIAROLE2", "", ""});
  // The environment's token is of the run and not of another profile.
  set("AWS_ROLE_ARN", "arn:aws:iam::1:role/not-this");
  files_.config(std::string("[default]\nsource_profile = pod\nrole_arn = ") + kOther +
                "\n[profile pod]\n" + role_ +
                "web_identity_token_file = " + files_.file("token", kToken) + "\n");
  EXPECT_EQ(find().access_key, "ASIAROLE3");
}

TEST_F(Roles, a_web_identity_is_not_signed_and_its_token_read_each_time) {
  const std::string path = files_.file("token", std::string(kToken) + "\n");
  set("AWS_WEB_IDENTITY_TOKEN_FILE", path);
  set("AWS_ROLE_ARN", kRole);
  const Credentials found = find();
  EXPECT_EQ(found.access_key, "ASIAROLE1");
  EXPECT_EQ(found.origin, std::string("web identity, role ") + kRole);
  EXPECT_EQ(last_call().at("WebIdentityToken"), kToken);
  set("AWS_ROLE_SESSION_NAME", "pod-7");
  files_.file("token", "another.kind.of-token");
  sts_.add_role({kOther, "", "", "another.kind.of-token"});
  set("AWS_ROLE_ARN", kOther);
  EXPECT_EQ(find().access_key, "ASIAROLE2");
  EXPECT_EQ(last_call().at("RoleSessionName"), "pod-7");
}

TEST_F(Roles, a_web_identity_goes_before_the_keys_of_the_profile_and_after_its_role) {
  set("AWS_WEB_IDENTITY_TOKEN_FILE", files_.file("token", kToken));
  set("AWS_ROLE_ARN", kRole);
  files_.credentials("[default]\n" + keys_);
  EXPECT_EQ(find().origin, std::string("web identity, role ") + kRole);
  files_.credentials("[default]\nsource_profile = default\n" + role_ + keys_);
  EXPECT_TRUE(find().origin.starts_with("role "));
  // A flag that names the profile turns the variables off.
  files_.credentials("[default]\n" + keys_);
  EXPECT_EQ(find("default").access_key, known_.access_key);
}

TEST_F(Roles, the_web_identity_of_a_profile_is_no_role_to_be_assumed_with_keys) {
  files_.config("[default]\n" + role_ + "source_profile = default\n" + keys_ +
                "web_identity_token_file = " + files_.file("token", kToken) + "\n");
  EXPECT_EQ(find().origin, std::string("web identity, role ") + kRole);
}

TEST_F(Roles, a_refusal_is_one_of_rights_and_says_what_sts_said) {
  files_.config("[default]\nrole_arn = arn:aws:iam::1:role/no\nsource_profile = default\n" + keys_);
  EXPECT_EQ(refusal().fault(), Fault::rights);
  EXPECT_EQ(refusal().message(),
            "credentials: AssumeRole of arn:aws:iam::1:role/no at " + sts_.endpoint() +
                ": AccessDenied: User is not authorized to perform: sts:AssumeRole on resource: "
                "arn:aws:iam::1:role/no");
  files_.config("[default]\n" + role_ +
                "source_profile = default\naws_access_key_id = AKIDEXAMPLE\n"
                "aws_secret_access_key = not-the-secret\n");
  EXPECT_EQ(refusal().fault(), Fault::rights);
  EXPECT_EQ(refusal().message().substr(refusal().message().rfind(": ") + 2),
            "SignatureDoesNotMatch");
}

TEST_F(Roles, a_refusal_that_repeats_the_token_is_told_without_it) {
  set("AWS_WEB_IDENTITY_TOKEN_FILE", files_.file("token", std::string(kToken) + ".wrong"));
  set("AWS_ROLE_ARN", kRole);
  const Failure failure = refusal();
  EXPECT_EQ(failure.fault(), Fault::rights);
  EXPECT_TRUE(failure.message().ends_with(": InvalidIdentityToken")) << failure.message();
}

TEST_F(Roles, a_fault_that_may_pass_is_retried_and_then_told_as_one) {
  files_.config("[default]\n" + role_ + "source_profile = default\n" + keys_);
  const std::vector<SandboxFault> faults = {{.status = 500, .html = "<html>oops</html>"},
                                            {.status = 503, .code = "ServiceUnavailable"},
                                            {.status = 400, .code = "Throttling"},
                                            {.status = 400, .code = "IDPCommunicationError"},
                                            {.drop_before = true}};
  for (const SandboxFault& fault : faults) {
    sts_.faults().add({.on = "AssumeRole", .most = 2, .fault = fault});
    EXPECT_TRUE(find().access_key.starts_with("ASIAROLE"));
    sts_.faults().clear();
  }
  set("AWS_MAX_ATTEMPTS", "2");
  for (const SandboxFault& fault : faults) {
    sts_.faults().add({.on = "AssumeRole", .fault = fault});
    EXPECT_EQ(refusal().fault(), Fault::temporary);
    EXPECT_NE(refusal().message().find("after 2 attempts"), std::string::npos);
    sts_.faults().clear();
  }
}

TEST_F(Roles, success_that_is_no_answer_of_sts_is_not_believed) {
  files_.config("[default]\n" + role_ + "source_profile = default\n" + keys_);
  sts_.faults().add({.on = "AssumeRole", .fault = {.html = "<html>welcome</html>"}});
  EXPECT_EQ(refusal().fault(), Fault::temporary);
  EXPECT_NE(refusal().hint().find("AWS_ENDPOINT_URL_STS"), std::string::npos);
}

TEST_F(Roles, a_clock_that_is_wrong_is_corrected_once) {
  files_.config("[default]\n" + role_ + "source_profile = default\n" + keys_);
  sts_.set_clock_offset(-3'600'000);
  EXPECT_EQ(find().access_key, "ASIAROLE1");
}

TEST_F(Roles, a_stop_ends_the_wait_for_sts) {
  files_.config("[default]\n" + role_ + "source_profile = default\n" + keys_);
  auto gate = std::make_shared<SandboxGate>();
  sts_.faults().add({.on = "AssumeRole", .fault = {.gate = gate}});
  std::stop_source stop;
  std::thread stopper([&] {
    gate->wait_for_call();
    stop.request_stop();
  });
  EXPECT_THROW(find("", stop.get_token()), Failure);
  stopper.join();
}

}  // namespace
}  // namespace sluice
