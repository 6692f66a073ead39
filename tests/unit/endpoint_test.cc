// SPDX-License-Identifier: Apache-2.0
#include "job/aws/endpoint.h"

#include <gtest/gtest.h>

#include "job/base/failure.h"
#include "tests/support/aws_files.h"

namespace sluice {
namespace {

constexpr const char* kQueue = "https://sqs.eu-west-1.amazonaws.com/000000000000/login-queue";

class EndpointRules : public ::testing::Test {
 protected:
  Endpoint find() {
    const Environment environment = files_.environment();
    return find_endpoint(wishes_, environment, Profile("", environment));
  }
  Endpoint sts() {
    const Environment environment = files_.environment();
    return find_sts_endpoint(wishes_, environment, Profile("", environment));
  }
  std::string url() { return find().url; }
  std::string region() { return find().region; }
  std::string refusal() {
    try {
      find();
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.fault(), Fault::configuration);
      return failure.message();
    }
    return "accepted";
  }
  void set(const char* name, const char* value) { files_.variables[name] = value; }

  EndpointWishes wishes_;
  AwsFiles files_;
};

TEST_F(EndpointRules, regions_are_looked_for_in_the_order_of_aws) {
  EXPECT_EQ(refusal(), "region: none found");
  files_.config("[default]\nregion = eu-west-3\n");
  EXPECT_EQ(find().region_origin, "profile default");
  EXPECT_EQ(region(), "eu-west-3");
  set("AWS_DEFAULT_REGION", "eu-west-2");
  EXPECT_EQ(region(), "eu-west-2");
  set("AWS_REGION", "eu-north-1");
  EXPECT_EQ(region(), "eu-north-1");
  wishes_.region_flag = "eu-south-1";
  EXPECT_EQ(region(), "eu-south-1");
  wishes_.queue_url = kQueue;
  EXPECT_EQ(region(), "eu-west-1");
  EXPECT_EQ(find().region_origin, "the queue's URL");
}

TEST_F(EndpointRules, a_region_is_part_of_a_host_name) {
  set("AWS_REGION", "us-east-1.evil.example/");
  EXPECT_EQ(refusal(), "region us-east-1.evil.example/ from AWS_REGION: not a region");
}

TEST_F(EndpointRules, the_queue_url_is_the_endpoint_when_nothing_overrides_it) {
  wishes_.queue_url = "http://LOCALHOST:9324/000000000000/login-queue";
  set("AWS_REGION", "us-east-1");
  EXPECT_EQ(url(), "http://localhost:9324");
  EXPECT_EQ(find().host, "localhost:9324");
  EXPECT_EQ(find().path, "/");
  wishes_.queue_url = "https://vpce-1-a.sqs.us-west-2.vpce.amazonaws.com/000000000000/q";
  EXPECT_EQ(url(), "https://vpce-1-a.sqs.us-west-2.vpce.amazonaws.com");
  EXPECT_EQ(region(), "us-west-2");
}

TEST_F(EndpointRules, overrides_are_looked_for_in_the_order_of_aws) {
  wishes_.queue_url = kQueue;
  EXPECT_EQ(url(), "https://sqs.eu-west-1.amazonaws.com");
  files_.config("[default]\nendpoint_url = http://global-file:1\n");
  EXPECT_EQ(url(), "http://global-file:1");
  files_.config(
      "[default]\nendpoint_url = http://global-file:1\nservices = local\n"
      "[services local]\nsqs =\n  endpoint_url = http://service-file:2\n");
  EXPECT_EQ(url(), "http://service-file:2");
  set("AWS_ENDPOINT_URL", "http://global-variable:3");
  EXPECT_EQ(url(), "http://global-variable:3");
  set("AWS_ENDPOINT_URL_SQS", "http://service-variable:4");
  EXPECT_EQ(url(), "http://service-variable:4");
  EXPECT_EQ(find().url_origin, "AWS_ENDPOINT_URL_SQS");
  wishes_.endpoint_flag = "http://flag:5";
  EXPECT_EQ(url(), "http://flag:5");
  EXPECT_EQ(region(), "eu-west-1");
}

TEST_F(EndpointRules, configured_overrides_can_be_ignored_but_not_the_flag) {
  wishes_.queue_url = kQueue;
  set("AWS_ENDPOINT_URL", "http://variable:3");
  set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
  EXPECT_EQ(url(), "https://sqs.eu-west-1.amazonaws.com");
  wishes_.endpoint_flag = "http://flag:5";
  EXPECT_EQ(url(), "http://flag:5");
}

/// As botocore 1.43 sends requests, with the rules of its service models.
TEST_F(EndpointRules, variants_of_sqs_and_sts_are_those_of_botocore) {
  struct Row {
    const char* region;
    const char* plain;
    const char* dual_stack;
    const char* fips;
    const char* fips_dual_stack;
  };
  constexpr Row kRows[] = {
      {"us-east-1", ".us-east-1.amazonaws.com", ".us-east-1.api.aws",
       "-fips.us-east-1.amazonaws.com", "-fips.us-east-1.api.aws"},
      {"us-gov-west-1", ".us-gov-west-1.amazonaws.com", ".us-gov-west-1.api.aws",
       ".us-gov-west-1.amazonaws.com", "-fips.us-gov-west-1.api.aws"},
      {"us-gov-east-1", ".us-gov-east-1.amazonaws.com", ".us-gov-east-1.api.aws",
       ".us-gov-east-1.amazonaws.com", "-fips.us-gov-east-1.api.aws"},
      {"cn-north-1", ".cn-north-1.amazonaws.com.cn", ".cn-north-1.api.amazonwebservices.com.cn",
       "-fips.cn-north-1.amazonaws.com.cn", "-fips.cn-north-1.api.amazonwebservices.com.cn"},
      {"eusc-de-east-1", ".eusc-de-east-1.amazonaws.eu", ".eusc-de-east-1.api.amazonwebservices.eu",
       "-fips.eusc-de-east-1.amazonaws.eu", "-fips.eusc-de-east-1.api.amazonwebservices.eu"},
      {"us-iso-east-1", ".us-iso-east-1.c2s.ic.gov", ".us-iso-east-1.api.aws.ic.gov",
       "-fips.us-iso-east-1.c2s.ic.gov", "-fips.us-iso-east-1.api.aws.ic.gov"},
      {"us-isob-east-1", ".us-isob-east-1.sc2s.sgov.gov", ".us-isob-east-1.api.aws.scloud",
       "-fips.us-isob-east-1.sc2s.sgov.gov", "-fips.us-isob-east-1.api.aws.scloud"},
      {"eu-isoe-west-1", ".eu-isoe-west-1.cloud.adc-e.uk", nullptr,
       "-fips.eu-isoe-west-1.cloud.adc-e.uk", nullptr},
      {"us-isof-south-1", ".us-isof-south-1.csp.hci.ic.gov", nullptr,
       "-fips.us-isof-south-1.csp.hci.ic.gov", nullptr},
  };
  for (const Row& row : kRows) {
    wishes_.region_flag = row.region;
    const auto expect = [&](const char* fips, const char* dual_stack, const char* rest) {
      if (rest == nullptr) return;
      set("AWS_USE_FIPS_ENDPOINT", fips);
      set("AWS_USE_DUALSTACK_ENDPOINT", dual_stack);
      EXPECT_EQ(url(), std::string("https://sqs") + rest);
      EXPECT_EQ(sts().url, std::string("https://sts") + rest);
      EXPECT_EQ(sts().region, row.region);
    };
    expect("false", "false", row.plain);
    expect("false", "true", row.dual_stack);
    expect("true", "false", row.fips);
    expect("true", "true", row.fips_dual_stack);
  }
}

TEST_F(EndpointRules, sts_has_overrides_of_its_own_and_follows_the_regions_that_are_configured) {
  wishes_ = {"http://flag:5", "", kQueue};
  EXPECT_EQ(sts().url, "https://sts.eu-west-1.amazonaws.com");
  set("AWS_REGION", "eu-north-1");
  EXPECT_EQ(sts().url, "https://sts.eu-north-1.amazonaws.com");
  EXPECT_EQ(sts().region_origin, "AWS_REGION");
  wishes_.region_flag = "eu-south-1";
  EXPECT_EQ(sts().url, "https://sts.eu-south-1.amazonaws.com");
  set("AWS_ENDPOINT_URL_SQS", "http://sqs:1");
  EXPECT_EQ(sts().url, "https://sts.eu-south-1.amazonaws.com");
  files_.config("[default]\nendpoint_url = http://global-file:1\n");
  EXPECT_EQ(sts().url, "http://global-file:1");
  files_.config(
      "[default]\nendpoint_url = http://global-file:1\nservices = local\n"
      "[services local]\nsts =\n  endpoint_url = http://service-file:2\n");
  EXPECT_EQ(sts().url, "http://service-file:2");
  set("AWS_ENDPOINT_URL", "http://global-variable:3");
  EXPECT_EQ(sts().url, "http://global-variable:3");
  set("AWS_ENDPOINT_URL_STS", "http://service-variable:4");
  EXPECT_EQ(sts().url, "http://service-variable:4");
  EXPECT_EQ(sts().url_origin, "AWS_ENDPOINT_URL_STS");
  set("AWS_USE_FIPS_ENDPOINT", "true");
  EXPECT_EQ(sts().url, "http://service-variable:4");
  set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
  EXPECT_EQ(sts().url, "https://sts-fips.eu-south-1.amazonaws.com");
}

TEST_F(EndpointRules, each_partition_has_its_suffix) {
  const auto at = [&](const char* name) {
    wishes_.region_flag = name;
    return url();
  };
  EXPECT_EQ(at("us-east-1"), "https://sqs.us-east-1.amazonaws.com");
  EXPECT_EQ(at("us-gov-west-1"), "https://sqs.us-gov-west-1.amazonaws.com");
  EXPECT_EQ(at("cn-north-1"), "https://sqs.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(at("eusc-de-east-1"), "https://sqs.eusc-de-east-1.amazonaws.eu");
  EXPECT_EQ(at("us-iso-east-1"), "https://sqs.us-iso-east-1.c2s.ic.gov");
  EXPECT_EQ(at("us-isob-east-1"), "https://sqs.us-isob-east-1.sc2s.sgov.gov");
  EXPECT_EQ(at("eu-isoe-west-1"), "https://sqs.eu-isoe-west-1.cloud.adc-e.uk");
  EXPECT_EQ(at("us-isof-south-1"), "https://sqs.us-isof-south-1.csp.hci.ic.gov");
}

TEST_F(EndpointRules, fips_and_dual_stack_have_hosts_of_their_own) {
  wishes_.region_flag = "us-east-1";
  set("AWS_USE_FIPS_ENDPOINT", "true");
  EXPECT_EQ(url(), "https://sqs-fips.us-east-1.amazonaws.com");
  set("AWS_USE_DUALSTACK_ENDPOINT", "true");
  EXPECT_EQ(url(), "https://sqs-fips.us-east-1.api.aws");
  set("AWS_USE_FIPS_ENDPOINT", "false");
  files_.config("[default]\nuse_fips_endpoint = true\n");
  EXPECT_EQ(url(), "https://sqs.us-east-1.api.aws");
  set("AWS_USE_FIPS_ENDPOINT", "true");
  set("AWS_USE_DUALSTACK_ENDPOINT", "false");
  wishes_.region_flag = "us-gov-west-1";
  EXPECT_EQ(url(), "https://sqs.us-gov-west-1.amazonaws.com");
}

TEST_F(EndpointRules, fips_wins_over_the_host_of_aws_in_a_queue_url_and_loses_to_an_override) {
  set("AWS_USE_FIPS_ENDPOINT", "true");
  wishes_.queue_url = kQueue;
  EXPECT_EQ(url(), "https://sqs-fips.eu-west-1.amazonaws.com");
  set("AWS_ENDPOINT_URL", "http://localhost:1");
  EXPECT_EQ(url(), "http://localhost:1");
}

TEST_F(EndpointRules, the_host_header_has_no_usual_port_and_keeps_brackets) {
  set("AWS_REGION", "us-east-1");
  const auto host = [&](const char* endpoint) {
    wishes_.endpoint_flag = endpoint;
    return find().host;
  };
  EXPECT_EQ(host("https://Example.com:443"), "example.com");
  EXPECT_EQ(host("http://example.com:80/"), "example.com");
  EXPECT_EQ(host("http://example.com:443"), "example.com:443");
  EXPECT_EQ(host("http://[::1]:9324"), "[::1]:9324");
  wishes_.endpoint_flag = "http://localhost:4566/sqs";
  EXPECT_EQ(find().path, "/sqs");
}

TEST_F(EndpointRules, what_is_no_url_is_refused_with_its_origin) {
  set("AWS_REGION", "us-east-1");
  for (const char* endpoint : {"localhost:9324", "ftp://x", "https://", "http://user:word@x",
                               "http://x?q=1", "http://a b"}) {
    wishes_.endpoint_flag = endpoint;
    EXPECT_NE(refusal().find("from --endpoint-url: not a URL"), std::string::npos) << endpoint;
  }
  wishes_.endpoint_flag = "";
  wishes_.queue_url = "login-queue";
  EXPECT_NE(refusal().find("from the queue's URL: not a URL"), std::string::npos);
}

TEST_F(EndpointRules, certificates_of_the_environment_go_before_those_of_the_profile) {
  files_.config("[default]\nca_bundle = /etc/a.pem\n");
  const Environment environment = files_.environment();
  EXPECT_EQ(find_ca_bundle(environment, Profile("", environment)), "/etc/a.pem");
  set("AWS_CA_BUNDLE", "/etc/b.pem");
  EXPECT_EQ(find_ca_bundle(environment, Profile("", environment)), "/etc/b.pem");
}

}  // namespace
}  // namespace sluice
