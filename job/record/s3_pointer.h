// SPDX-License-Identifier: Apache-2.0
// Bodies of the SQS extended clients: not the message, but where in S3 it lies.
#pragma once

#include <string_view>

#include "job/base/rejection.h"

namespace sluice {

/// Names such a pointer: a JSON array of a class of the extended client, for Java or for Python,
/// and an object. None for every other text.
[[nodiscard]] MaybeRejection refuse_s3_pointer(std::string_view json);

}  // namespace sluice
