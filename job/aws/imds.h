// SPDX-License-Identifier: Apache-2.0
// The metadata service of EC2, in its second version only: the first gives keys to whoever can make
// a host fetch a URL.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "job/aws/credentials.h"
#include "job/aws/profile.h"
#include "job/base/environment.h"
#include "job/http/http.h"

namespace sluice {

/// Bound by AWS_METADATA_SERVICE_TIMEOUT (1 s) and AWS_METADATA_SERVICE_NUM_ATTEMPTS (1): a host
/// without it costs no more. Nothing is what all answer where it is not reached, or turned off.
/// Failure{temporary} when it is there but does not work.
class Imds {
 public:
  /// Failure{usage} for settings that make no sense. Asks nothing yet.
  Imds(const Environment& environment, const Profile& profile, std::stop_token stop = {});

  /// Of the role of this host; nothing when it has none. Failure{rights} when it is not given them.
  std::optional<Credentials> credentials();
  std::optional<std::string> region();

 private:
  std::optional<std::string> token();
  HttpAnswer ask(const std::string& method, const std::string& path, const Header& header);
  HttpAnswer get(const std::string& path, const std::string& token);
  /// `problem` is for answers with status 200.
  [[noreturn]] void refuse(const std::string& what, const HttpAnswer& answer,
                           const std::string& problem = "") const;

  std::stop_token stop_;
  bool disabled_;
  std::string origin_;
  std::string base_path_;
  std::int64_t timeout_ms_;
  int attempts_;
  Http http_;
};

}  // namespace sluice
