// SPDX-License-Identifier: Apache-2.0
#include "job/base/secret.h"

#include <array>
#include <new>
#include <type_traits>

#include <gtest/gtest.h>

namespace sluice {
namespace {

static_assert(!std::is_copy_constructible_v<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<std::string, Secret>);

TEST(Secret, wiping_overwrites_all_that_a_text_ever_held_there) {
  std::string text(1000, 'k');
  text.resize(10);
  const volatile char* memory = text.data();
  const std::size_t size = text.capacity();
  wipe(text);
  EXPECT_TRUE(text.empty());
  ASSERT_EQ(text.data(), memory);
  for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(memory[i], '\0') << i;
}

/// Memory for one Secret, short enough to lie in it, which can be looked at afterwards.
class Place {
 public:
  Secret* make(std::string value) { return new (bytes_.data()) Secret(std::move(value)); }
  bool holds(std::string_view value) const {
    return std::string_view(reinterpret_cast<const char*>(bytes_.data()), bytes_.size())
               .find(value) != std::string_view::npos;
  }

 private:
  alignas(Secret) std::array<unsigned char, sizeof(Secret)> bytes_{};
};

TEST(Secret, nothing_of_it_is_left_where_it_was) {
  Place place;
  Secret* secret = place.make("k3y-of-14-byte");
  EXPECT_TRUE(place.holds("k3y-of-14-byte"));
  secret->~Secret();
  EXPECT_FALSE(place.holds("k3y"));

  secret = place.make("k3y-of-14-byte");
  const Secret moved(std::move(*secret));
  EXPECT_EQ(moved.reveal(), "k3y-of-14-byte");
  EXPECT_FALSE(place.holds("k3y"));
  *secret = Secret("an0ther-key");
  *secret = Secret("x");
  EXPECT_FALSE(place.holds("ther-key"));
  secret->~Secret();
}

}  // namespace
}  // namespace sluice
