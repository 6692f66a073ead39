// SPDX-License-Identifier: Apache-2.0
// How the sandbox says no: to a call, or to one entry of a batch.
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace sluice {

class SandboxRefusal : public std::exception {
 public:
  SandboxRefusal(std::string code, std::string message, int status = 400, bool sender_fault = true)
      : code_(std::move(code)),
        message_(std::move(message)),
        status_(status),
        sender_fault_(sender_fault) {}

  const std::string& code() const { return code_; }
  const std::string& message() const { return message_; }
  int status() const { return status_; }
  bool sender_fault() const { return sender_fault_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string code_;
  std::string message_;
  int status_;
  bool sender_fault_;
};

}  // namespace sluice
