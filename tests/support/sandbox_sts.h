// SPDX-License-Identifier: Apache-2.0
// A strict STS on 127.0.0.1: AssumeRole with its signature verified, AssumeRoleWithWebIdentity
// without one, in the Query protocol.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/sandbox_faults.h"
#include "tests/support/sandbox_keys.h"

namespace sluice {

struct SandboxRole {
  std::string arn;
  std::string trusted;      // access key, or role, that may assume it; empty: none
  std::string external_id;  // that it must name
  std::string token;        // web identity token that may assume it; empty: none
};

class SandboxSts {
 public:
  using Form = std::map<std::string, std::string>;

  explicit SandboxSts(std::string region = "us-east-1");
  ~SandboxSts();

  std::string endpoint() const;
  void add_role(SandboxRole role);
  /// Who may sign; keys that it handed out may, too.
  void set_credentials(const SandboxCredentials& credentials);
  SandboxKeys& keys();
  /// By action; `status` and `code`, `html`, `delay`, `gate` and the drops.
  SandboxFaults& faults();
  void set_clock_offset(std::int64_t ms);

  /// What was asked, refused calls included.
  std::vector<Form> calls() const;
  /// What no caller of AWS's would send.
  std::vector<std::string> problems() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice
