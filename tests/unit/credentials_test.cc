// SPDX-License-Identifier: Apache-2.0
#include "job/aws/credentials.h"

#include <gtest/gtest.h>

#include "job/base/failure.h"
#include "tests/support/aws_files.h"

namespace sluice {
namespace {

struct Found {
  std::string access_key, secret, token, origin;
};

class CredentialsChain : public ::testing::Test {
 protected:
  Found find(const std::string& profile_flag = "") {
    const Environment environment = files_.environment();
    const Profile profile(profile_flag, environment);
    const auto sources = credential_sources(profile, environment);
    const Credentials found = find_credentials(sources);
    return {found.access_key, std::string(found.secret.reveal()),
            std::string(found.session_token.reveal()), found.origin};
  }

  Failure refusal(const std::string& profile_flag = "") {
    try {
      find(profile_flag);
    } catch (const Failure& failure) {
      return failure;
    }
    return {Fault::bug, "accepted", ""};
  }

  std::string path(const std::string& name) { return files_.variables["HOME"] + "/.aws/" + name; }

  AwsFiles files_;
};

TEST_F(CredentialsChain, the_environment_comes_first) {
  files_.variables["AWS_ACCESS_KEY_ID"] = "AKENV";
  files_.variables["AWS_SECRET_ACCESS_KEY"] = "s1";
  files_.variables["AWS_SESSION_TOKEN"] = "t1";
  files_.credentials("[default]\naws_access_key_id = AKFILE\naws_secret_access_key = s2\n");
  const Found found = find();
  EXPECT_EQ(found.access_key, "AKENV");
  EXPECT_EQ(found.secret, "s1");
  EXPECT_EQ(found.token, "t1");
  EXPECT_EQ(found.origin, "the environment");
}

TEST_F(CredentialsChain, a_key_without_its_secret_ends_the_search) {
  files_.variables["AWS_ACCESS_KEY_ID"] = "AKENV";
  files_.credentials("[default]\naws_access_key_id = AKFILE\naws_secret_access_key = s2\n");
  const Failure failure = refusal();
  EXPECT_EQ(failure.fault(), Fault::rights);
  EXPECT_NE(failure.message().find("AWS_SECRET_ACCESS_KEY"), std::string::npos);
}

TEST_F(CredentialsChain, an_empty_variable_is_an_unset_one) {
  files_.variables["AWS_ACCESS_KEY_ID"] = "";
  files_.variables["AWS_SECRET_ACCESS_KEY"] = "s1";
  files_.credentials("[default]\naws_access_key_id = AKFILE\naws_secret_access_key = s2\n");
  EXPECT_EQ(find().access_key, "AKFILE");
}

TEST_F(CredentialsChain, the_credentials_file_goes_before_the_config_file) {
  files_.config("[default]\naws_access_key_id = AKCONFIG\naws_secret_access_key = s3\n");
  EXPECT_EQ(find().access_key, "AKCONFIG");
  EXPECT_EQ(find().origin, "profile default in " + path("config"));
  files_.credentials(
      "[default]\naws_access_key_id = AKFILE\naws_secret_access_key = s2\naws_session_token = "
      "t2\n");
  EXPECT_EQ(find().access_key, "AKFILE");
  EXPECT_EQ(find().token, "t2");
  EXPECT_EQ(find().origin, "profile default in " + path("credentials"));
}

TEST_F(CredentialsChain,
       a_profile_named_by_a_flag_turns_the_environment_off_but_aws_profile_does_not) {
  files_.variables["AWS_ACCESS_KEY_ID"] = "AKENV";
  files_.variables["AWS_SECRET_ACCESS_KEY"] = "s1";
  files_.variables["AWS_PROFILE"] = "night";
  files_.config(
      "[profile night]\naws_access_key_id = AKNIGHT\naws_secret_access_key = s\n"
      "[profile day]\naws_access_key_id = AKDAY\naws_secret_access_key = s\n");
  EXPECT_EQ(find().access_key, "AKENV");
  EXPECT_EQ(find("day").access_key, "AKDAY");
  files_.variables.erase("AWS_ACCESS_KEY_ID");
  EXPECT_EQ(find().access_key, "AKNIGHT");
}

TEST_F(CredentialsChain, a_profile_that_was_named_must_exist) {
  files_.config("[profile night]\nregion = us-east-1\n[default]\n");
  EXPECT_EQ(refusal("nigth").message(), "AWS profile nigth: there is none of that name");
  files_.variables["AWS_PROFILE"] = "gone";
  EXPECT_EQ(refusal().message(), "AWS profile gone: there is none of that name");
  EXPECT_NE(refusal().hint().find("AWS_PROFILE"), std::string::npos);
}

TEST_F(CredentialsChain, half_a_pair_in_a_file_names_file_and_key_and_no_value) {
  files_.credentials("[default]\naws_access_key_id = AKFILE\n");
  const Failure failure = refusal();
  EXPECT_EQ(failure.fault(), Fault::rights);
  EXPECT_EQ(failure.message(), "credentials: profile default in " + path("credentials") +
                                   " has an access key but no aws_secret_access_key");
}

TEST_F(CredentialsChain, none_anywhere_lists_the_places) {
  const Failure failure = refusal();
  EXPECT_EQ(failure.fault(), Fault::rights);
  EXPECT_TRUE(failure.message().starts_with("credentials: none found"));
  EXPECT_NE(failure.hint().find("AWS_ACCESS_KEY_ID"), std::string::npos);
  EXPECT_NE(failure.hint().find(path("credentials")), std::string::npos);
  EXPECT_NE(failure.hint().find(path("config")), std::string::npos);
}

TEST_F(CredentialsChain, what_is_advised_is_short_and_the_places_are_told_in_the_order_of_aws) {
  files_.config("[default]\nregion = us-east-1\n");
  const Environment environment = files_.environment();
  std::vector<std::string> places;
  for (const auto& source : credential_sources(Profile("", environment), environment)) {
    places.push_back(source.place);
  }
  EXPECT_EQ(places, (std::vector<std::string>{
                        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                        "role_arn of profile default",
                        "web_identity_token_file of profile default",
                        "SSO of profile default",
                        "keys of profile default in " + path("credentials"),
                        "credential_process of profile default",
                        "keys of profile default in " + path("config"),
                        "a container's endpoint",
                        "instance metadata",
                    }));
  EXPECT_LT(refusal().hint().size(), 300U) << refusal().hint();
  files_.config("[profile night]\n");
  const auto named = credential_sources(Profile("night", environment), environment);
  EXPECT_EQ(named.front().place, "role_arn of profile night");
}

TEST_F(CredentialsChain, a_profile_with_sso_is_refused_before_its_keys_with_a_way_out) {
  files_.config("[default]\nsso_session = work\nsso_account_id = 1\nsso_role_name = reader\n");
  files_.credentials("[default]\naws_access_key_id = AKFILE\naws_secret_access_key = s2\n");
  const Failure failure = refusal();
  EXPECT_EQ(failure.fault(), Fault::rights);
  EXPECT_NE(failure.hint().find("credential_process"), std::string::npos);
}

TEST_F(CredentialsChain, a_process_goes_after_the_credentials_file_and_before_the_config_file) {
  files_.config(
      "[default]\naws_access_key_id = AKCONFIG\naws_secret_access_key = s3\n"
      "credential_process = /bin/echo "
      R"('{"Version":1,"AccessKeyId":"AKPROCESS","SecretAccessKey":"s4"}')"
      "\n");
  EXPECT_EQ(find().access_key, "AKPROCESS");
  EXPECT_EQ(find().origin, "credential_process of profile default in " + path("config"));
  files_.credentials("[default]\naws_access_key_id = AKFILE\naws_secret_access_key = s2\n");
  EXPECT_EQ(find().access_key, "AKFILE");
}

TEST_F(CredentialsChain, a_file_that_was_written_anew_is_seen_by_the_same_source) {
  files_.credentials("[default]\naws_access_key_id = AKOLD\naws_secret_access_key = s\n");
  const Environment environment = files_.environment();
  const auto sources = credential_sources(Profile("", environment), environment);
  EXPECT_EQ(find_credentials(sources).access_key, "AKOLD");
  files_.credentials("[default]\naws_access_key_id = AKNEW\naws_secret_access_key = s\n");
  std::size_t which = 0;
  EXPECT_EQ(find_credentials(sources, {}, &which).access_key, "AKNEW");
  EXPECT_EQ(sources[which].place, "keys of profile default in " + path("credentials"));
}

/// A role that cannot be assumed, without anybody being asked.
TEST_F(CredentialsChain, a_role_is_refused_when_its_profile_makes_no_sense) {
  const std::string role = "[default]\nrole_arn = arn:aws:iam::123456789012:role/x\n";
  const std::string keys = "aws_access_key_id = AK\naws_secret_access_key = s\n";
  const auto message = [&](const std::string& config) {
    files_.config(config);
    const Failure failure = refusal();
    EXPECT_EQ(failure.fault(), Fault::rights) << config;
    return failure.message();
  };
  const std::string profile = "credentials: profile default: ";
  EXPECT_EQ(message(role), profile + "role_arn without source_profile or credential_source");
  EXPECT_EQ(message(role + "source_profile = a\ncredential_source = Environment\n[profile a]\n"),
            profile + "both source_profile and credential_source");
  EXPECT_EQ(message(role + "source_profile = gone\n"),
            profile + "source_profile gone does not exist");
  EXPECT_EQ(message(role + "credential_source = environment\n"),
            profile + "credential_source environment is unknown");
  EXPECT_EQ(message(role + "credential_source = Environment\n"),
            profile + "credential_source Environment has no credentials");
  EXPECT_EQ(message(role + "credential_source = EcsContainer\n"),
            profile + "credential_source EcsContainer has no credentials");
  EXPECT_EQ(message(role + "credential_source = Ec2InstanceMetadata\n"),
            profile + "credential_source Ec2InstanceMetadata has no credentials");
  EXPECT_EQ(message(role + "source_profile = a\n[profile a]\nregion = x\n"),
            profile + "source_profile a has no credentials");
  EXPECT_EQ(message(role + "source_profile = a\nmfa_serial = arn:aws:iam::1:mfa/me\n[profile a]\n" +
                    keys),
            profile + "mfa_serial wants a code that only a person can read");
  EXPECT_EQ(message(role + "source_profile = a\nduration_seconds = 1h\n[profile a]\n" + keys),
            profile + "duration_seconds is no number");
}

TEST_F(CredentialsChain, roles_that_build_on_each_other_in_a_circle_are_told_apart_from_a_chain) {
  const std::string role = "role_arn = arn:aws:iam::123456789012:role/x\n";
  files_.config("[default]\n" + role + "source_profile = a\n[profile a]\n" + role +
                "source_profile = b\n[profile b]\n" + role + "source_profile = a\n");
  EXPECT_EQ(refusal().message(),
            "credentials: profile b: its source_profile leads in a circle: default -> a -> b -> a");
  files_.config("[default]\n" + role + "source_profile = default\n");
  EXPECT_EQ(refusal().message(),
            "credentials: profile default: its source_profile leads in a circle: "
            "default -> default");
}

TEST_F(CredentialsChain, a_web_identity_needs_a_role_and_a_token_that_can_be_read) {
  files_.variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = path("token");
  EXPECT_EQ(refusal().fault(), Fault::rights);
  EXPECT_NE(refusal().hint().find("AWS_ROLE_ARN"), std::string::npos);
  files_.variables["AWS_ROLE_ARN"] = "arn:aws:iam::123456789012:role/x";
  EXPECT_EQ(refusal().fault(), Fault::rights);
  EXPECT_EQ(refusal().message(), "credentials: web identity token " + path("token") +
                                     ": cannot read: No such file or directory");
}

TEST_F(CredentialsChain, a_container_endpoint_that_is_set_ends_the_search) {
  files_.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://example.com/credentials";
  EXPECT_EQ(refusal().message(),
            "credentials: AWS_CONTAINER_CREDENTIALS_FULL_URI: http to example.com is not allowed");
  files_.credentials("[default]\naws_access_key_id = AKFILE\naws_secret_access_key = s2\n");
  EXPECT_EQ(find().access_key, "AKFILE");
}

TEST_F(CredentialsChain, files_lie_where_the_environment_says) {
  files_.config("[default]\naws_access_key_id = AKCONFIG\naws_secret_access_key = s3\n");
  files_.variables["AWS_SHARED_CREDENTIALS_FILE"] = "~/.aws/config";
  EXPECT_EQ(find().origin, "profile default in " + path("config"));
  EXPECT_EQ(find().access_key, "AKCONFIG");
}

TEST_F(CredentialsChain, without_a_home_there_are_no_files) {
  files_.variables.erase("HOME");
  EXPECT_EQ(refusal().fault(), Fault::rights);
}

}  // namespace
}  // namespace sluice
