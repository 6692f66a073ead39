// SPDX-License-Identifier: Apache-2.0
// One request and its answer, for who may wait. A stop that is asked for ends the wait at once,
// with a Failure{temporary} that nobody needs to read.
#pragma once

#include <cstdint>
#include <stop_token>

#include "job/http/http.h"

namespace sluice {

/// Nothing else may be under way in `http`.
HttpAnswer fetch(Http& http, HttpRequest request, const std::stop_token& stop);

/// Before the next attempt.
void pause(std::int64_t ms, const std::stop_token& stop);

void throw_if_stopped(const std::stop_token& stop);

}  // namespace sluice
