// SPDX-License-Identifier: Apache-2.0
// An HTTP request as it is signed and as it is sent: the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

struct Header {
  std::string name;
  std::string value;
};

struct HttpRequest {
  std::string method = "POST";
  std::string origin = {};  // "https://sqs.us-east-1.amazonaws.com"
  std::string path = "/";   // as sent
  std::string query = {};   // as sent, without the '?'
  std::vector<Header> headers = {};
  std::string body = {};
  std::int64_t timeout_ms = 10'000;
  std::size_t most_bytes = 64U << 20;  // of the answer; ten messages of 1 MiB, escaped as JSON
};

}  // namespace sluice
