// SPDX-License-Identifier: Apache-2.0
#include "job/aws/endpoint.h"

#include <algorithm>
#include <array>
#include <optional>

#include "job/base/failure.h"
#include "job/base/text.h"

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

struct UrlParts {
  std::string scheme;
  std::string host;  // with port, canonical
  std::string path;
};

/// Nothing when it is no http or https URL, or has parts that an endpoint cannot have.
std::optional<UrlParts> parts_of(std::string_view url) {
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  UrlParts parts{lower_ascii(url.substr(0, colon)), "", ""};
  if (parts.scheme != "http" && parts.scheme != "https") return std::nullopt;
  url.remove_prefix(colon + 3);
  const std::size_t slash = std::min(url.find('/'), url.size());
  parts.host = lower_ascii(url.substr(0, slash));
  parts.path = slash == url.size() ? "/" : std::string(url.substr(slash));
  const auto is_of_host = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("-._:[]").find(c) != std::string_view::npos;
  };
  const auto is_of_path = [](char c) { return c > ' ' && c <= '~' && c != '?' && c != '#'; };
  if (!std::all_of(parts.host.begin(), parts.host.end(), is_of_host) ||
      !std::all_of(parts.path.begin(), parts.path.end(), is_of_path)) {
    return std::nullopt;
  }
  const std::string_view usual_port = parts.scheme == "http" ? ":80" : ":443";
  if (parts.host.ends_with(usual_port)) {
    parts.host.resize(parts.host.size() - usual_port.size());
  }
  if (parts.host.empty()) return std::nullopt;
  return parts;
}

UrlParts checked(const Found& url) {
  if (auto parts = parts_of(url.value)) return std::move(*parts);
  throw Failure(Fault::configuration,
                "endpoint " + printable(url.value, 200) + " from " + url.origin + ": not a URL",
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

std::string usual_host(std::string_view region, bool fips, bool dual_stack) {
  const Partition& partition =
      *std::find_if(kPartitions.begin(), kPartitions.end(),
                    [&](const Partition& row) { return region.starts_with(row.prefix); });
  const bool plain = !fips || (partition.fips_is_plain && !dual_stack);
  return (plain ? "sqs." : "sqs-fips.") + std::string(region) + "." +
         std::string(dual_stack ? partition.dual_stack_suffix : partition.suffix);
}

Found find_override(const EndpointWishes& wishes, const Environment& environment,
                    const Profile& profile) {
  const Found flag{wishes.endpoint_flag, "--endpoint-url"};
  if (is_true(environment("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
              profile.setting("ignore_configured_endpoint_urls"))) {
    return first_of({flag});
  }
  return first_of({flag,
                   {environment("AWS_ENDPOINT_URL_SQS"), "AWS_ENDPOINT_URL_SQS"},
                   {environment("AWS_ENDPOINT_URL"), "AWS_ENDPOINT_URL"},
                   {profile.service_setting("sqs", "endpoint_url"),
                    "the services of profile " + profile.name()},
                   {profile.setting("endpoint_url"), "profile " + profile.name()}});
}

Found find_region(const EndpointWishes& wishes, const std::string& of_queue,
                  const Environment& environment, const Profile& profile) {
  Found region = first_of({{of_queue, "the queue's URL"},
                           {wishes.region_flag, "--region"},
                           {environment("AWS_REGION"), "AWS_REGION"},
                           {environment("AWS_DEFAULT_REGION"), "AWS_DEFAULT_REGION"},
                           {profile.setting("region"), "profile " + profile.name()}});
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

}  // namespace

Endpoint find_endpoint(const EndpointWishes& wishes, const Environment& environment,
                       const Profile& profile) {
  std::optional<UrlParts> queue;
  if (!wishes.queue_url.empty()) queue = checked({wishes.queue_url, "the queue's URL"});
  const std::string of_queue = queue ? region_in(queue->host) : "";
  const Found region = find_region(wishes, of_queue, environment, profile);
  const auto at = [&](const UrlParts& url, std::string origin) {
    return Endpoint{url.scheme + "://" + url.host,
                    url.host,
                    url.path,
                    region.value,
                    std::move(origin),
                    region.origin};
  };

  if (const Found wanted = find_override(wishes, environment, profile); !wanted.value.empty()) {
    return at(checked(wanted), wanted.origin);
  }
  const bool fips =
      is_true(environment("AWS_USE_FIPS_ENDPOINT"), profile.setting("use_fips_endpoint"));
  const bool dual_stack =
      is_true(environment("AWS_USE_DUALSTACK_ENDPOINT"), profile.setting("use_dualstack_endpoint"));
  // AWS's own host in the queue's URL must not undo a wish for FIPS or dual stack; a host of
  // somebody else has no such variants.
  if (queue && (of_queue.empty() || (!fips && !dual_stack))) {
    return at({queue->scheme, queue->host, "/"}, "the queue's URL");
  }
  return at({"https", usual_host(region.value, fips, dual_stack), "/"}, "region " + region.value);
}

std::string find_ca_bundle(const Environment& environment, const Profile& profile) {
  const std::string variable = environment("AWS_CA_BUNDLE");
  return variable.empty() ? profile.setting("ca_bundle") : variable;
}

}  // namespace sluice
