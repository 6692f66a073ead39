// SPDX-License-Identifier: Apache-2.0
// What an error of the checkpoint means to an operator.
#pragma once

#include "checkpoint/checkpoint.h"
#include "job/base/failure.h"

namespace sluice {

Failure to_failure(const CheckpointError& error);

}  // namespace sluice
