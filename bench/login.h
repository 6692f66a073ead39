// SPDX-License-Identifier: Apache-2.0
// Good messages of pipelines/user_logins, each different in every value, as a producer sends them.
#pragma once

#include <cstdint>

#include "job/config/pipeline.h"
#include "job/queue/queue.h"

namespace sluice {

/// Message `number`, a millisecond later than the one before. The same number is the same message.
Message login(std::uint64_t number);

const Pipeline& login_pipeline();

}  // namespace sluice
