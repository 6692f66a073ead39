// SPDX-License-Identifier: Apache-2.0
#include "job/aws/endpoint.h"

#include <algorithm>
#include <array>
#include <optional>

#include "job/aws/imds.h"
#include "job/base/failure.h"
#include "job/base/text.h"
#include "job/http/url.h"

namespace sluice {
namespace {

struct Partition {
  std::string_view prefix;  // of its regions
  std::string_view suffix;
  std::string_view dual_stack_suffix;
  bool fips_is_plain = false;
};

// botocore's partitions.json of 2026; the last row takes every other region.
constexpr std::array kPartitions = {
    Partition{"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
    Partition{"eusc-", "amazonaws.eu", "api.amazonwebservices.eu"},
    Partition{"us-gov-", "amazonaws.com", "api.aws", true},
    Partition{"us-iso-", "c2s.ic.gov", "api.aws.ic.gov"},
    Partition{"us-isob-", "sc2s.sgov.gov", "api.aws.scloud"},
    Partition{"us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
    Partition{"eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
    Partition{"", "amazonaws.com", "api.aws"},
};

/// A value and where it was found.
struct Found {
  std::string value;
  std::string origin;
};

Found first_of(std::initializer_list<Found> places) {
  for (const Found& place : places) {
    if (!place.value.empty()) return place;
  }
  return {};
}

bool is_true(const std::string& variable, const std::string& setting) {
  return lower_ascii(variable.empty() ? setting : variable) == "true";
}

Url checked(const Found& text) {
  auto url = parse_url(text.value);
  if (url && url->query.empty()) return std::move(*url);
  throw Failure(Fault::configuration,
                "endpoint " + printable(text.value, 200) + " from " + text.origin + ": not a URL",
                "write it as https://host or http://host:port");
}

/// "us-east-1" of sqs.us-east-1.amazonaws.com, sqs-fips.… and
/// vpce-….sqs.us-east-1.vpce.amazonaws.com; else empty.
std::string region_in(std::string_view host) {
  const std::vector<std::string_view> labels = split(host, '.');
  for (std::size_t i = 0; i + 2 < labels.size(); ++i) {
    if (labels[i] != "sqs" && labels[i] != "sqs-fips") continue;
    const std::string_view next = labels[i + 1];
    const bool like_a_region =
        std::count(next.begin(), next.end(), '-') >= 2 && next.back() >= '0' && next.back() <= '9';
    if (like_a_region) return std::string(next);
  }
  return "";
}

/// One of AWS's services as its settings spell it.
struct Service {
  const char* name;  // in the files and in hosts
  const char* endpoint_variable;
};
constexpr Service kSqs = {"sqs", "AWS_ENDPOINT_URL_SQS"};
constexpr Service kSts = {"sts", "AWS_ENDPOINT_URL_STS"};

struct Variants {
  bool fips;
  bool dual_stack;
};

Variants find_variants(const Environment& environment, const Profile& profile) {
  return {is_true(environment("AWS_USE_FIPS_ENDPOINT"), profile.setting("use_fips_endpoint")),
          is_true(environment("AWS_USE_DUALSTACK_ENDPOINT"),
                  profile.setting("use_dualstack_endpoint"))};
}

std::string usual_host(const Service& service, std::string_view region, Variants variants) {
  const Partition& partition =
      *std::find_if(kPartitions.begin(), kPartitions.end(),
                    [&](const Partition& row) { return region.starts_with(row.prefix); });
  const bool plain = !variants.fips || (partition.fips_is_plain && !variants.dual_stack);
  return service.name + std::string(plain ? "." : "-fips.") + std::string(region) + "." +
         std::string(variants.dual_stack ? partition.dual_stack_suffix : partition.suffix);
}

Found find_override(const Service& service, const std::string& flag, const Environment& environment,
                    const Profile& profile) {
  const Found by_flag{flag, "--endpoint-url"};
  if (is_true(environment("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
              profile.setting("ignore_configured_endpoint_urls"))) {
    return first_of({by_flag});
  }
  return first_of({by_flag,
                   {environment(service.endpoint_variable), service.endpoint_variable},
                   {environment("AWS_ENDPOINT_URL"), "AWS_ENDPOINT_URL"},
                   {profile.service_setting(service.name, "endpoint_url"),
                    "the services of profile " + profile.name()},
                   {profile.setting("endpoint_url"), "profile " + profile.name()}});
}

/// Where AWS's own tools look, but for the host that they run on.
Found find_configured_region(const EndpointWishes& wishes, const Environment& environment,
                             const Profile& profile) {
  return first_of({{wishes.region_flag, "--region"},
                   {environment("AWS_REGION"), "AWS_REGION"},
                   {environment("AWS_DEFAULT_REGION"), "AWS_DEFAULT_REGION"},
                   {profile.setting("region"), "profile " + profile.name()}});
}

/// Of the first place that has one; the host is asked only when none has.
Found find_region(std::initializer_list<Found> places, const Environment& environment,
                  const Profile& profile) {
  Found region = first_of(places);
  if (region.value.empty()) {
    region = {Imds(environment, profile).region().value_or(""), "instance metadata"};
  }
  const std::string& name = region.value;
  if (name.empty()) {
    throw Failure(Fault::configuration, "region: none found",
                  "set --region, AWS_REGION, or region in profile " + profile.name());
  }
  // It becomes part of a host name.
  if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos) {
    throw Failure(Fault::configuration,
                  "region " + printable(name, 60) + " from " + region.origin + ": not a region",
                  "write it as us-east-1");
  }
  return region;
}

Endpoint endpoint_at(const Url& url, std::string origin, const Found& region) {
  return {url.origin(), url.host, url.path, region.value, std::move(origin), region.origin};
}

}  // namespace

Endpoint find_endpoint(const EndpointWishes& wishes, const Environment& environment,
                       const Profile& profile) {
  std::optional<Url> queue;
  if (!wishes.queue_url.empty()) queue = checked({wishes.queue_url, "the queue's URL"});
  const std::string of_queue = queue ? region_in(queue->host) : "";
  const Found region = find_region(
      {{of_queue, "the queue's URL"}, find_configured_region(wishes, environment, profile)},
      environment, profile);
  const Found wanted = find_override(kSqs, wishes.endpoint_flag, environment, profile);
  if (!wanted.value.empty()) return endpoint_at(checked(wanted), wanted.origin, region);
  const Variants variants = find_variants(environment, profile);
  // AWS's own host in the queue's URL must not undo a wish for FIPS or dual stack; a host of
  // somebody else has no such variants.
  if (queue && (of_queue.empty() || (!variants.fips && !variants.dual_stack))) {
    return endpoint_at({queue->scheme, queue->host, "/", ""}, "the queue's URL", region);
  }
  return endpoint_at({"https", usual_host(kSqs, region.value, variants), "/", ""},
                     "region " + region.value, region);
}

Endpoint find_sts_endpoint(const EndpointWishes& wishes, const Environment& environment,
                           const Profile& profile) {
  const auto queue = parse_url(wishes.queue_url);
  const Found region = find_region({find_configured_region(wishes, environment, profile),
                                    {queue ? region_in(queue->host) : "", "the queue's URL"}},
                                   environment, profile);
  const Found wanted = find_override(kSts, "", environment, profile);
  if (!wanted.value.empty()) return endpoint_at(checked(wanted), wanted.origin, region);
  return endpoint_at(
      {"https", usual_host(kSts, region.value, find_variants(environment, profile)), "/", ""},
      "region " + region.value, region);
}

std::string find_ca_bundle(const Environment& environment, const Profile& profile) {
  const std::string variable = environment("AWS_CA_BUNDLE");
  return variable.empty() ? profile.setting("ca_bundle") : variable;
}

}  // namespace sluice
