// SPDX-License-Identifier: Apache-2.0
#include "job/mask/canonical.h"

#include <gtest/gtest.h>

#include "tests/unit/mask_vectors.h"

namespace sluice {
namespace {

std::string form(Canonical form, std::string_view value) {
  return canonical(form, value).value_or("refused");
}

TEST(Canonical, every_vector_has_its_form) {
  for (const MaskVector& vector : mask_vectors) {
    EXPECT_EQ(form(vector.canonical, vector.value), vector.canonical_value) << vector.value;
  }
}

TEST(Canonical, a_form_is_its_own_form) {
  for (const MaskVector& vector : mask_vectors) {
    EXPECT_EQ(form(vector.canonical, vector.canonical_value), vector.canonical_value);
  }
}

TEST(Canonical, refused_values_have_no_form) {
  for (const RefusedValue& refused : refused_values) {
    EXPECT_FALSE(canonical(refused.canonical, refused.value)) << refused.value;
  }
}

TEST(Canonical, text_is_nfc_and_trimmed_of_unicode_white_space) {
  const std::string composed = "Zo\u00eb";
  EXPECT_EQ(form(Canonical::text, "Zoe\u0308"), composed);
  EXPECT_EQ(form(Canonical::text, "\u00a0\u2003\t Zoe\u0308\r\n\u3000\u0085"), composed);
  EXPECT_EQ(form(Canonical::text, "a  b"), "a  b");
  EXPECT_EQ(form(Canonical::text, " \t\u2028 "), "");
  // Compatibility characters, zero-width space and case are not touched.
  EXPECT_EQ(form(Canonical::text, "\ufb01\u200b\u00c4"), "\ufb01\u200b\u00c4");
  EXPECT_EQ(form(Canonical::text, "\u212b"), "\u00c5");
  EXPECT_EQ(form(Canonical::text, "\u1100\u1161"), "\uac00");
}

TEST(Canonical, none_leaves_everything) {
  EXPECT_EQ(form(Canonical::none, " Zoe\u0308 "), " Zoe\u0308 ");
}

TEST(Canonical, ip_has_one_form_for_each_address) {
  EXPECT_EQ(form(Canonical::ip, " 1.2.3.4\n"), "1.2.3.4");
  EXPECT_EQ(form(Canonical::ip, "::FFFF:1.2.3.4"), "1.2.3.4");
  EXPECT_EQ(form(Canonical::ip, "::ffff:102:304"), "1.2.3.4");
  EXPECT_EQ(form(Canonical::ip, "0:0:0:0:0:ffff:1.2.3.4"), "1.2.3.4");
  // Only ::ffff:0:0/96 is IPv4 in disguise.
  EXPECT_EQ(form(Canonical::ip, "::1.2.3.4"), "::102:304");
  EXPECT_EQ(form(Canonical::ip, "64:ff9b::1.2.3.4"), "64:ff9b::102:304");
  EXPECT_EQ(form(Canonical::ip, "2001:db8:0:0::1"), "2001:db8::1");
  EXPECT_EQ(form(Canonical::ip, "\u0661.2.3.4"), "refused");
  EXPECT_EQ(form(Canonical::ip, "1.2.3.4/32"), "refused");
}

TEST(Canonical, email_lowers_the_domain_only) {
  EXPECT_EQ(form(Canonical::email, " Jane.Doe@EXAMPLE.com "), "Jane.Doe@example.com");
  EXPECT_EQ(form(Canonical::email, "A@B\u00dcCHER.de"), "A@b\u00fccher.de");
  for (const std::string_view value :
       {"", "@", "a@", "@b", "a@b@c", "a b@c", "a@b c", "a@b\u00a0c", "a@b\x01"}) {
    EXPECT_EQ(form(Canonical::email, value), "refused") << value;
  }
}

}  // namespace
}  // namespace sluice
