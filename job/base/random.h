// SPDX-License-Identifier: Apache-2.0
// Random bytes from the operating system.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace sluice {

std::array<std::uint8_t, 16> random_128();

/// A version 4 UUID as text.
std::string random_uuid();

}  // namespace sluice
