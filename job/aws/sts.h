// SPDX-License-Identifier: Apache-2.0
// STS: keys for a while, in exchange for other keys or for a token.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "job/aws/credential_search.h"
#include "job/aws/credentials.h"
#include "job/aws/endpoint.h"
#include "job/aws/retry.h"
#include "job/http/http.h"

namespace sluice {

struct Role {
  std::string arn;
  std::string session_name;  // empty: one of ours
  std::string external_id;   // empty: none
  std::optional<int> duration_s = {};
};

/// Calls are repeated as their errors deserve. Failure{rights} when STS refuses, Failure{temporary}
/// when it cannot be reached, fails or throttles. What is returned has no origin yet.
class Sts {
 public:
  explicit Sts(const CredentialSearch& search);

  /// Signed with `keys`.
  Credentials assume_role(const Role& role, const Credentials& keys);
  /// Not signed: the token says who asks.
  Credentials assume_role_with_web_identity(const Role& role, std::string_view token);

 private:
  struct Call;
  Credentials answer_to(const Call& call);
  Failure failure_of(const Call& call, const HttpAnswer& answer, int attempts) const;

  Endpoint endpoint_;
  RetryPolicy retry_;
  std::stop_token stop_;
  Http http_;
};

}  // namespace sluice
