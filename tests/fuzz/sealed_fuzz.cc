// SPDX-License-Identifier: Apache-2.0
// Sealed bodies: forged ones, and our own with one byte changed. First line: the key's id.
#include "job/mask/seal.h"
#include "tests/fuzz/properties.h"
#include "tests/fuzz/targets.h"

namespace sluice::fuzz {

void sealed(std::string_view input) {
  static const Keyring keyring = Keyring::parse(kKeyringJson, "keyring");
  constexpr MessageId kId{1, 2, 3};
  const std::string_view key_id = take_line(input);
  must_hold(!unseal(keyring, key_id, kId, input), "nobody without the key seals anything");

  Sealed ours = seal(keyring, kId, input);
  must_hold(!repeats(ours.bytes, input), "what is sealed cannot be read");
  must_hold(unseal(keyring, ours.key_id, kId, ours.bytes) == input, "what was sealed is unsealed");
  must_hold(!unseal(keyring, "k1", kId, ours.bytes), "under its own key only");
  must_hold(!unseal(keyring, ours.key_id, MessageId{9}, ours.bytes), "for its message only");
  const std::size_t at = input.size() * 7919 % ours.bytes.size();
  ours.bytes[at] = static_cast<char>(ours.bytes[at] ^ 1);
  must_hold(!unseal(keyring, ours.key_id, kId, ours.bytes), "and unchanged only");
}

}  // namespace sluice::fuzz
