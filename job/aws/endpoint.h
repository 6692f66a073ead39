// SPDX-License-Identifier: Apache-2.0
// Where SQS and STS are reached and for which region requests are signed, by AWS's rules.
#pragma once

#include <string>
#include <string_view>

#include "job/aws/profile.h"
#include "job/base/environment.h"

namespace sluice {

/// Empty members were not given.
struct EndpointWishes {
  std::string endpoint_flag;
  std::string region_flag;
  std::string queue_url;
};

struct Endpoint {
  std::string url;   // scheme://host[:port], as requests are sent to it
  std::string host;  // what the Host header says: lower case, without the scheme's default port
  std::string path = "/";
  std::string region;         // in the scope of signatures
  std::string url_origin;     // for a person: "--endpoint-url", "the queue's URL"
  std::string region_origin;  // likewise
};

/// An override (flag, environment, files) before the queue URL's own host before the region's
/// endpoint. The region in a queue URL goes before all others: a queue is nowhere else. Instance
/// metadata is asked for the region when nothing else names one.
/// Failure{configuration} when there is no region, or a URL is none.
Endpoint find_endpoint(const EndpointWishes& wishes, const Environment& environment,
                       const Profile& profile);

/// Of STS, which hands out credentials for roles: an override (environment, files; the flag is
/// meant for SQS) before the region's endpoint. The region in the queue URL comes after those that
/// are configured.
Endpoint find_sts_endpoint(const EndpointWishes& wishes, const Environment& environment,
                           const Profile& profile);

/// The file of certificates to trust instead of the system's; empty: the system's.
std::string find_ca_bundle(const Environment& environment, const Profile& profile);

}  // namespace sluice
