// SPDX-License-Identifier: Apache-2.0
// AWS Signature Version 4 in the Authorization header. Not for S3, which signs its paths
// unnormalised and wants a header with the digest of the body.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "job/aws/credentials.h"
#include "job/aws/request_hash.h"
#include "job/http/request.h"

namespace sluice {

/// Signs for one key, region and service. Fresh credentials are a fresh Signer.
class Signer {
 public:
  Signer(Credentials credentials, std::string region, std::string service);

  /// Adds X-Amz-Date, X-Amz-Security-Token and Authorization. Every header already there is signed,
  /// `Host` must be one of them; those that a client or a proxy may change on the way are left out.
  void sign(HttpRequest& request, std::int64_t wall_ms);

  const Credentials& credentials() const { return credentials_; }

 private:
  void take_second(std::int64_t second);
  std::string_view key_of(std::string_view day);

  Credentials credentials_;
  std::string region_;
  std::string service_;
  RequestHash hash_;
  // Of the second that was signed last.
  std::int64_t second_ = 0;
  std::string stamp_;  // "20150830T123600Z"
  std::string scope_;
  std::string day_;
  Secret day_key_;  // good for one day: saves four of five HMACs
};

}  // namespace sluice
