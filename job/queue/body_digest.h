// SPDX-License-Identifier: Apache-2.0
// SQS's check of a body: MD5, which guards against accidents on the way and against nothing else.
#pragma once

#include <string_view>

namespace sluice {

/// True as well where nothing can be said: no digest was sent, or OpenSSL has no MD5 (FIPS).
bool matches_md5(std::string_view body, std::string_view digest_hex);

}  // namespace sluice
