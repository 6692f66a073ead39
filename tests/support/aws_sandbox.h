// SPDX-License-Identifier: Apache-2.0
// A strict SQS on 127.0.0.1, for tests and the demonstration: every signature is recomputed, every
// request checked, every fault is scripted. It listens when constructed and is gone when destroyed.
//
// Not signed, for the owner: `GET /sandbox/counts/<queue>` and `GET
// /sandbox/message/<queue>/<number>`, each answered in lines of a name and a value.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/sandbox_faults.h"
#include "tests/support/sandbox_sigv4.h"
#include "tests/support/sandbox_sqs.h"

namespace sluice {

class AwsSandbox {
 public:
  using Hook =
      std::function<void(const std::string& operation, const boost::json::object& request)>;

  /// It knows one pair of keys, SandboxCredentials' own.
  explicit AwsSandbox(std::string region = "us-east-1", std::uint64_t seed = 1);
  ~AwsSandbox();

  std::uint16_t port() const;
  std::string endpoint() const;  // "http://127.0.0.1:PORT"

  /// Queues, time and what lies in them; also `add_queue`.
  SandboxSqs& sqs();
  SandboxFaults& faults();
  /// Adds, or replaces those of the same access key.
  void set_credentials(const SandboxCredentials& credentials);
  /// A call without an Authorization header passes too: what a bench compares with need not sign.
  void allow_unsigned();
  /// Called before a call takes effect, after the faults that prevent it; one call at a time.
  void before_effect(Hook hook);

  /// Calls so far, refused ones included.
  std::map<std::string, std::uint64_t> calls() const;
  /// What AWS would have refused: signatures, shapes, batch rules. Taking them forgets them.
  std::vector<std::string> problems() const;
  std::vector<std::string> take_problems();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice
