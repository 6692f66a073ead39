// SPDX-License-Identifier: Apache-2.0
#include "job/aws/quotable.h"

#include <array>

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Quotable, text_is_one_short_printable_line) {
  EXPECT_EQ(quotable("  no\nright \x1b[0m\xc3\xa9 ", {}), "no?right ?[0m??");
  EXPECT_EQ(quotable(std::string(5000, 'x'), {}).size(), 300U);
}

TEST(Quotable, text_that_repeats_a_part_of_a_secret_is_not_told) {
  const std::array<std::string_view, 2> secrets = {"abcdefghijklmnopqrstuvwxyz", "short"};
  EXPECT_EQ(quotable("bad token: ...fghijklmnopqrst...", secrets), "");
  EXPECT_EQ(quotable("abcdefghijk and lmnopq", secrets), "abcdefghijk and lmnopq");
  EXPECT_EQ(quotable("a short one", secrets), "");
  const std::array<std::string_view, 1> none = {""};
  EXPECT_EQ(quotable("anything", none), "anything");
}

}  // namespace
}  // namespace sluice
