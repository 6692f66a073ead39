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
