// SPDX-License-Identifier: Apache-2.0
// Requests that nothing depends on, sent side by side in bounded time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "job/http/request.h"
#include "job/http/url.h"

namespace sluice {

struct Announcement {
  /// `service` is its name in a warning; the rest of the address may be a secret.
  Announcement(std::string service, const Url& url);

  std::string service;
  HttpRequest request;
};

/// Tries each at most twice, and warns in one line of each that was not taken: of any status but
/// 2xx, and of those still under way after `within_ms`, or when a process that is told to end has
/// no more time for them.
void deliver(const std::vector<Announcement>& all, std::int64_t within_ms);

}  // namespace sluice
