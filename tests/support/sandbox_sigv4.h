// SPDX-License-Identifier: Apache-2.0
// Checks AWS Signature Version 4 of a request to `POST /` from what arrived. Shares nothing with
// the signer of the program, which must not check itself.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace sluice {

struct SandboxCredentials {
  std::string access_key = "AKIDEXAMPLE";
  std::string secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
  std::string token = {};
  bool expired = false;
};

struct SandboxRequest {
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case, in order
  std::string body;

  /// The first of that name, or nothing.
  const std::string& header(std::string_view name) const;
};

using KnownCredentials = std::map<std::string, SandboxCredentials>;  // by access key

/// Throws SandboxRefusal. `wall_ms` is the server's clock, from which the signature's may differ by
/// five minutes.
void verify_signature(const SandboxRequest& request, const KnownCredentials& known,
                      const std::string& region, std::int64_t wall_ms,
                      const std::string& service = "sqs");

}  // namespace sluice
