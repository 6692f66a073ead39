// SPDX-License-Identifier: Apache-2.0
// EC2's metadata service in its second version, and a container's credentials endpoint, on
// 127.0.0.1.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "tests/support/sandbox_faults.h"
#include "tests/support/sandbox_keys.h"

namespace sluice {

class SandboxMetadata {
 public:
  SandboxMetadata();
  ~SandboxMetadata();

  std::string endpoint() const;
  std::string container_url() const;  // "http://127.0.0.1:PORT/v2/credentials?id=7"

  /// Empty: the host has no role.
  void set_role(const std::string& name);
  /// `{Code, Message}` with status 200 in place of credentials.
  void set_refusal(const std::string& code, const std::string& message);
  /// What the Authorization header of the container must be.
  void set_authorization(const std::string& token);

  SandboxKeys& keys();
  /// Of "token", "role", "credentials", "region", "container"; `status`, `html`, `delay`, `gate`
  /// and `drop_before`.
  SandboxFaults& faults();

  /// By the same names; "refused": without a valid token or authorization, or not as AWS wants it.
  std::map<std::string, int> calls() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice
