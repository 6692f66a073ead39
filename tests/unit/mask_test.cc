// SPDX-License-Identifier: Apache-2.0
#include <type_traits>

#include <gtest/gtest.h>

#include "job/base/failure.h"
#include "job/config/column_type.h"
#include "job/mask/mask_function.h"
#include "tests/unit/mask_vectors.h"

namespace sluice {
namespace {

static_assert(!std::is_default_constructible_v<MaskedText>);
static_assert(!std::is_constructible_v<MaskedText, std::string>);

const Keyring& keyring() {
  static const Keyring the_keyring = Keyring::parse(kVectorKeyring, "vectors");
  return the_keyring;
}

std::string shown(const std::variant<MaskedText, Rejection>& masked) {
  if (const auto* rejection = std::get_if<Rejection>(&masked)) {
    return "!" + std::string(to_text(rejection->reason));
  }
  return std::string(std::get<MaskedText>(masked).text());
}

std::string masked(const Mask& mask, std::string_view value, std::string_view salt = {}) {
  return shown(MaskFunction(mask, keyring()).of(value, salt));
}

TEST(Mask, hmac_gives_what_another_program_gives) {
  for (const MaskVector& vector : mask_vectors) {
    EXPECT_EQ(masked({MaskMethod::hmac_sha256, vector.domain, vector.canonical, {}}, vector.value),
              vector.hmac_sha256)
        << vector.value;
  }
}

TEST(Mask, aes_siv_gives_what_another_program_gives) {
  for (const MaskVector& vector : mask_vectors) {
    EXPECT_EQ(masked({MaskMethod::aes_siv, vector.domain, vector.canonical, {}}, vector.value),
              vector.aes_siv.empty() ? "!bad-value" : vector.aes_siv)
        << vector.value;
  }
}

TEST(Mask, unkeyed_sha256_is_of_the_value_as_it_came) {
  for (const MaskVector& vector : mask_vectors) {
    EXPECT_EQ(masked({MaskMethod::sha256, vector.domain, vector.canonical, {}}, vector.value),
              vector.sha256);
  }
}

TEST(Mask, refused_values_have_no_mask) {
  for (const RefusedValue& refused : refused_values) {
    for (const MaskMethod method : {MaskMethod::hmac_sha256, MaskMethod::aes_siv}) {
      EXPECT_EQ(masked({method, "d", refused.canonical, {}}, refused.value), "!bad-value");
    }
  }
}

TEST(Mask, one_function_gives_every_value_its_own_mask_in_any_order) {
  for (const MaskMethod method :
       {MaskMethod::hmac_sha256, MaskMethod::aes_siv, MaskMethod::sha256}) {
    const Mask mask{method, "name", Canonical::none, {}};
    MaskFunction function(mask, keyring());
    for (int round = 0; round < 3; ++round) {
      for (const std::string_view value :
           {"a", "b", "", "a", "a longer value than one block holds, twice"}) {
        EXPECT_EQ(shown(function.of(value, {})), masked(mask, value));
      }
    }
    EXPECT_NE(shown(function.of("a", {})), shown(function.of("b", {})));
  }
}

TEST(Mask, another_domain_and_another_key_give_another_mask) {
  const Keyring other = Keyring::generate(0);
  for (const MaskMethod method : {MaskMethod::hmac_sha256, MaskMethod::aes_siv}) {
    const Mask mask{method, "ip", Canonical::text, {}};
    const std::string first = masked(mask, "v");
    EXPECT_NE(first, masked({method, "device_id", Canonical::text, {}}, "v"));
    EXPECT_NE(first, shown(MaskFunction(mask, other).of("v", {})));
  }
}

TEST(Mask, after_a_rotation_the_new_key_masks) {
  Keyring rotated = Keyring::parse(kVectorKeyring, "vectors");
  rotated.rotate(0);
  const Mask mask{MaskMethod::aes_siv, "ip", Canonical::text, {}};
  EXPECT_TRUE(
      shown(MaskFunction(mask, rotated).of("v", {})).starts_with(rotated.current().id + "."));
}

TEST(Mask, earlier_digests_are_reproduced_bit_for_bit) {
  EXPECT_EQ(masked({MaskMethod::md5, "d", Canonical::text, {}}, "abc"),
            "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(masked({MaskMethod::sha256, "d", Canonical::text, {}}, " abc"),
            masked({MaskMethod::sha256_salted, "d", Canonical::text, {}}, " a", "bc"));
  EXPECT_EQ(masked({MaskMethod::sha256_salted, "d", Canonical::text, {}, true}, "c", "ab"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Mask, prefixes_and_domains_keep_only_that) {
  const Mask prefix{MaskMethod::ip_prefix, "d", Canonical::text, {}};
  EXPECT_EQ(masked(prefix, "199.172.111.135"), "199.172.111.0/24");
  EXPECT_EQ(masked(prefix, " ::ffff:199.172.111.135"), "199.172.111.0/24");
  EXPECT_EQ(masked(prefix, "2001:DB8:1:2:3:4:5:6"), "2001:db8:1::/48");
  EXPECT_EQ(masked(prefix, "::1"), "::/48");
  EXPECT_EQ(masked(prefix, "1.2.3"), "!bad-value");
  const Mask domain{MaskMethod::email_domain, "d", Canonical::text, {}};
  EXPECT_EQ(masked(domain, "Jane@EXAMPLE.com "), "example.com");
  EXPECT_EQ(masked(domain, "Jane"), "!bad-value");
  EXPECT_EQ(masked({MaskMethod::redact, "d", Canonical::text, {}}, "anything"), "[redacted]");
}

TEST(Mask, a_mask_is_as_wide_as_the_pipeline_check_assumes) {
  for (const MaskWord& word : mask_words()) {
    if (word.width == 0) continue;
    const std::string text = masked({word.method, "d", Canonical::text, {}}, "value", "salt");
    EXPECT_EQ(text.size(), static_cast<std::size_t>(word.width)) << word.word;
  }
}

TEST(Mask, a_column_takes_a_mask_as_text_or_a_prefix_as_inet) {
  MaskFunction function({MaskMethod::ip_prefix, "d", Canonical::text, {}}, keyring());
  const auto network = function.of("10.1.2.3", {});
  std::string tuple;
  EXPECT_FALSE(append_field(tuple, std::get<MaskedText>(network), *parse_type("inet")));
  EXPECT_EQ(tuple, std::string("\0\0\0\x08\x02\x18\0\x04\x0a\x01\x02\0", 12));
  EXPECT_FALSE(append_field(tuple, std::get<MaskedText>(network), *parse_type("varchar(11)")));
  const auto fault = append_field(tuple, std::get<MaskedText>(network), *parse_type("varchar(10)"));
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->reason, Reason::too_long);
}

}  // namespace
}  // namespace sluice
