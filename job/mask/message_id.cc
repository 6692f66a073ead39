// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "job/mask/masker.h"
#include "job/mask/unkeyed_digest.h"
#include "job/record/uuid.h"

namespace sluice {

MessageId message_id(std::string_view text) {
  constexpr std::size_t kDashed = 36;
  if (text.size() == kDashed) {
    if (const auto uuid = parse_uuid(text)) return *uuid;
  }
  const std::string digest = UnkeyedDigest(UnkeyedDigest::Kind::sha256).of(text);
  MessageId id{};
  std::copy_n(digest.begin(), id.size(), id.begin());
  id[6] = static_cast<std::uint8_t>((id[6] & 0x0f) | 0x80);  // version 8 of RFC 9562
  id[8] = static_cast<std::uint8_t>((id[8] & 0x3f) | 0x80);  // and its variant
  return id;
}

}  // namespace sluice
