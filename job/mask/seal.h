// SPDX-License-Identifier: Apache-2.0
// The body of a rejected message, closed to everybody without the keyring.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "checkpoint/staged.h"
#include "job/mask/keyring.h"

namespace sluice {

/// AES-256-GCM under derive_key(key, "sluice/seal/v1", 32) with a random nonce; the associated data
/// is the message id, so that two bodies cannot be exchanged. Bytes: 0x01, 12 of nonce, ciphertext,
/// 16 of tag.
struct Sealed {
  std::string_view key_id;  // views into the keyring
  std::string bytes;
};
Sealed seal(const Keyring& keyring, const MessageId& id, std::string_view body);

/// None when the key is not in the keyring, or when these are not the bytes that were sealed for
/// this message.
std::optional<std::string> unseal(const Keyring& keyring, std::string_view key_id,
                                  const MessageId& id, std::string_view bytes);

}  // namespace sluice
