// SPDX-License-Identifier: Apache-2.0
#include "job/mask/seal.h"

#include <gtest/gtest.h>

#include "tests/unit/mask_vectors.h"

namespace sluice {
namespace {

constexpr MessageId kId = {1, 2, 3};

TEST(Seal, what_was_sealed_is_unsealed_by_the_holder_of_the_key) {
  Keyring keyring = Keyring::parse(kVectorKeyring, "p");
  for (const std::string& body :
       {std::string(), std::string("no json"), std::string(1 << 20, '\0')}) {
    const Sealed sealed = seal(keyring, kId, body);
    EXPECT_EQ(sealed.key_id, "k-test");
    EXPECT_EQ(sealed.bytes.size(), 1 + 12 + body.size() + 16);
    EXPECT_EQ(unseal(keyring, sealed.key_id, kId, sealed.bytes), body);
  }
}

TEST(Seal, an_older_key_still_opens_what_it_sealed) {
  Keyring keyring = Keyring::parse(kVectorKeyring, "p");
  const std::string bytes = seal(keyring, kId, "body").bytes;
  keyring.rotate(0);
  EXPECT_EQ(unseal(keyring, "k-test", kId, bytes), "body");
  EXPECT_EQ(unseal(keyring, keyring.current().id, kId, bytes), std::nullopt);
  EXPECT_EQ(unseal(keyring, "unknown", kId, bytes), std::nullopt);
}

TEST(Seal, the_same_body_never_looks_the_same) {
  const Keyring keyring = Keyring::parse(kVectorKeyring, "p");
  EXPECT_NE(seal(keyring, kId, "body").bytes, seal(keyring, kId, "body").bytes);
}

TEST(Seal, a_changed_byte_a_lost_byte_and_another_message_are_noticed) {
  const Keyring keyring = Keyring::parse(kVectorKeyring, "p");
  const std::string bytes = seal(keyring, kId, "body").bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_EQ(unseal(keyring, "k-test", kId, changed), std::nullopt) << i;
    EXPECT_EQ(unseal(keyring, "k-test", kId, bytes.substr(0, i)), std::nullopt) << i;
  }
  EXPECT_EQ(unseal(keyring, "k-test", MessageId{9}, bytes), std::nullopt);
}

}  // namespace
}  // namespace sluice
